"""The catalogue looked through: a score for each product, and everything to put right, the best first."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from domain.quality.completeness import gaps_of, score
from domain.quality.duplicates import duplicates
from domain.quality.facts import Catalogue, ProductFacts
from domain.quality.issue import SEVERITY, Issue, QualityReason
from domain.quality.outliers import outliers
from domain.quality.units import wrong_units
from models import CurrencyCode

PERCENT = 100
Worth = Mapping[CurrencyCode, tuple[int, int]]
"""Units, and what they are worth, by currency."""

DIGITS = 6
"""Of a gain, behind the point."""

KINDS_OF_STAKE = 3
"""Views, sales and stock."""


@dataclass(frozen=True, slots=True)
class ProductScore:
    """How complete a product is, and what there is to do about it."""

    product_id: int
    line: tuple[int, ...]
    score: int
    issues: Sequence[Issue]

    @property
    def gain(self) -> float:
        return round(sum(issue.gain for issue in self.issues), DIGITS)


@dataclass(frozen=True)
class Assessment:
    """What is to be said of the catalogue."""

    products: Sequence[ProductScore]
    """The least complete first; of those alike, that with more at stake."""

    @cached_property
    def issues(self) -> Sequence[Issue]:
        """What fixing brings most first."""
        found = [issue for product in self.products for issue in product.issues]
        return sorted(found, key=lambda issue: (-issue.gain, issue.key))

    @property
    def score(self) -> int:
        """Of an average product."""
        return sum(each.score for each in self.products) // len(self.products) if self.products else PERCENT

    def within(self, category_id: int | None) -> "Assessment":
        """Only what is in a category or below it."""
        if category_id is None:
            return self
        return Assessment([each for each in self.products if category_id in each.line])


def assess(catalogue: Catalogue) -> Assessment:
    """Seconds for tens of thousands of products: call it in a thread."""
    stakes = stakes_of(catalogue)
    gaps = {product.id: list(gaps_of(catalogue, product)) for product in catalogue.products}
    found: defaultdict[int, list[Issue]] = defaultdict(list)
    for issue in (*outliers(catalogue), *wrong_units(catalogue), *duplicates(catalogue)):
        found[issue.product_id].append(issue)
    scores = [
        ProductScore(
            product.id,
            product.line,
            score(catalogue, product, gaps[product.id]),
            ranked([*gaps[product.id], *found[product.id]], stakes[product.id]),
        )
        for product in catalogue.products
    ]
    return Assessment(sorted(scores, key=lambda each: (each.score, -each.gain, each.product_id)))


def ranked(issues: Sequence[Issue], stake: float) -> list[Issue]:
    """What fixing each would bring: the part of the shop's business in it that is at stake.

    Several of one reason share it: ten variants without a price are one product nobody can buy.
    """
    times = Counter(issue.reason for issue in issues)
    worth = [
        replace(issue, gain=round(SEVERITY[issue.reason] * stake / times[issue.reason], DIGITS))
        for issue in issues
    ]
    return sorted(worth, key=lambda issue: (-issue.gain, issue.key))


def stakes_of(catalogue: Catalogue) -> Mapping[int, float]:
    """Percent of the shop's business each product is: its part of views, sales and stock, the three alike.

    Money of different currencies is never added: a product has a part of the sales in each, and these count
    by the units sold in it. What nobody knows yet counts as if it were a tenth of the average.
    """
    products = catalogue.products
    views = sum(product.views for product in products)
    sales = shares({product.id: product.sold for product in products})
    stock = shares({product.id: held(product) for product in products})
    least = 0.1 / max(len(products), 1)
    return {
        product.id: PERCENT
        * (least + (share(product.views, views) + sales[product.id] + stock[product.id]) / KINDS_OF_STAKE)
        for product in products
    }


def shares(worth: Mapping[int, Worth]) -> Mapping[int, float]:
    """Each product's part of the whole, which is 1."""
    units: Counter[CurrencyCode] = Counter()
    amounts: Counter[CurrencyCode] = Counter()
    for of_product in worth.values():
        for currency, (some, amount) in of_product.items():
            units[currency] += some
            amounts[currency] += amount
    return {
        product_id: sum(
            share(units[currency], units.total()) * share(amount, amounts[currency])
            for currency, (_, amount) in of_product.items()
        )
        for product_id, of_product in worth.items()
    }


def held(product: ProductFacts) -> Worth:
    """What lies in the warehouses, each variant at its price in the first currency it is sold in."""
    found: dict[CurrencyCode, tuple[int, int]] = {}
    for variant in product.variants:
        currency = next((each for each in CurrencyCode if each in variant.prices), None)
        if currency is not None and variant.on_hand:
            units, amount = found.get(currency, (0, 0))
            price = variant.prices[currency][0]
            found[currency] = units + variant.on_hand, amount + variant.on_hand * price
    return found


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def counted(issues: Sequence[Issue]) -> list[tuple[QualityReason, int, float]]:
    """How many issues there are of each reason and what they come to, the most first."""
    times = Counter(issue.reason for issue in issues)
    gains: defaultdict[QualityReason, float] = defaultdict(float)
    for issue in issues:
        gains[issue.reason] += issue.gain
    return sorted(
        ((reason, number, round(gains[reason], DIGITS)) for reason, number in times.items()),
        key=lambda row: (-row[2], row[0]),
    )
