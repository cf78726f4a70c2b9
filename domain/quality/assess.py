"""The assessment of the catalogue: a score for each product, and its issues by gain."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from domain.quality.completeness import completeness_of, gaps_of
from domain.quality.duplicates import find_duplicates
from domain.quality.facts import CatalogueFacts, ProductFacts
from domain.quality.issue import SEVERITY, QualityIssue, QualityReason
from domain.quality.outliers import find_outliers
from domain.quality.picture_checks import find_unreachable_pictures
from domain.quality.texts import find_poor_texts
from domain.quality.units import find_wrong_units
from models import CurrencyCode

PERCENT = 100
ValueByCurrency = Mapping[CurrencyCode, tuple[int, int]]
"""Units and their value in minor units, by currency."""

GAIN_DIGITS = 6
"""Decimal places of a gain."""

SALES_WEIGHT = 0.6
"""What the share of sales counts in the business of a product, beside those of views and stock: what sells
comes first."""

WEIGHT_WITHOUT_SALES = 1 / 3
"""What the shares of views and of stock count each in a shop that has sold nothing yet."""


@dataclass(frozen=True, slots=True)
class ProductScore:
    """How complete a product is, and its issues."""

    product_id: int
    category_ids: tuple[int, ...]
    score: int
    """In percent."""
    issues: Sequence[QualityIssue]

    @property
    def gain(self) -> float:
        return round(sum(issue.gain for issue in self.issues), GAIN_DIGITS)


@dataclass(frozen=True)
class QualityAssessment:
    """The assessment of the catalogue, or of a part of it."""

    products: Sequence[ProductScore]
    """The least complete first; of equally complete ones the one with the higher gain."""

    @cached_property
    def issues(self) -> Sequence[QualityIssue]:
        """All issues, the highest gain first."""
        found = [issue for product in self.products for issue in product.issues]
        return sorted(found, key=lambda issue: (-issue.gain, issue.key))

    @property
    def score(self) -> int:
        """The average score of the products, in percent; 100 without products."""
        return sum(each.score for each in self.products) // len(self.products) if self.products else PERCENT

    def within(self, category_id: int | None) -> "QualityAssessment":
        """The assessment of the products in a category or below it; of all without one."""
        if category_id is None:
            return self
        return QualityAssessment([each for each in self.products if category_id in each.category_ids])


def assess(catalogue: CatalogueFacts) -> QualityAssessment:
    """Takes seconds for tens of thousands of products: call it in a thread."""
    stakes = stakes_of(catalogue)
    gaps = {product.id: list(gaps_of(catalogue, product)) for product in catalogue.products}
    found: defaultdict[int, list[QualityIssue]] = defaultdict(list)
    for issue in (
        *find_outliers(catalogue),
        *find_wrong_units(catalogue),
        *find_duplicates(catalogue),
        *find_poor_texts(catalogue),
        *find_unreachable_pictures(catalogue),
    ):
        found[issue.product_id].append(issue)
    scores = [
        ProductScore(
            product.id,
            product.category_ids,
            completeness_of(catalogue, product, gaps[product.id]),
            rank_issues([*gaps[product.id], *found[product.id]], stakes[product.id]),
        )
        for product in catalogue.products
    ]
    return QualityAssessment(sorted(scores, key=lambda each: (each.score, -each.gain, each.product_id)))


def rank_issues(issues: Sequence[QualityIssue], stake: float) -> list[QualityIssue]:
    """The issues of one product with their gains, highest first; `stake`: its percentage of the business.

    Several of one reason share the gain: ten variants without a price are one product nobody can buy.
    """
    times = Counter(issue.reason for issue in issues)
    with_gain = [
        replace(issue, gain=round(SEVERITY[issue.reason] * stake / times[issue.reason], GAIN_DIGITS))
        for issue in issues
    ]
    return sorted(with_gain, key=lambda issue: (-issue.gain, issue.key))


def stakes_of(catalogue: CatalogueFacts) -> Mapping[int, float]:
    """Product id -> its percentage of the business, by its shares of sales, views and stock.

    Amounts in different currencies are never added: a product has a share of the sales in each, weighted by
    the units sold in it. Every product has at least a tenth of the average, even a new one.
    """
    products = catalogue.products
    views = sum(product.views for product in products)
    sales = shares_of({product.id: product.sold for product in products})
    stock = shares_of({product.id: stock_value_of(product) for product in products})
    least = 0.1 / max(len(products), 1)
    weight = (1 - SALES_WEIGHT) / 2 if any(sales.values()) else WEIGHT_WITHOUT_SALES
    return {
        product.id: PERCENT
        * (
            least
            + SALES_WEIGHT * sales[product.id]
            + weight * (ratio_of(product.views, views) + stock[product.id])
        )
        for product in products
    }


def shares_of(values: Mapping[int, ValueByCurrency]) -> Mapping[int, float]:
    """Each product's share of the total, from 0 to 1."""
    units: Counter[CurrencyCode] = Counter()
    amounts: Counter[CurrencyCode] = Counter()
    for of_product in values.values():
        for currency, (some, amount) in of_product.items():
            units[currency] += some
            amounts[currency] += amount
    return {
        product_id: sum(
            ratio_of(units[currency], units.total()) * ratio_of(amount, amounts[currency])
            for currency, (_, amount) in of_product.items()
        )
        for product_id, of_product in values.items()
    }


def stock_value_of(product: ProductFacts) -> ValueByCurrency:
    """The units on hand and their value, each variant at its price in the first currency it is sold in."""
    found: dict[CurrencyCode, tuple[int, int]] = {}
    for variant in product.variants:
        currency = next((each for each in CurrencyCode if each in variant.prices), None)
        if currency is not None and variant.on_hand:
            units, amount = found.get(currency, (0, 0))
            price = variant.prices[currency][0]
            found[currency] = units + variant.on_hand, amount + variant.on_hand * price
    return found


def ratio_of(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def count_by_reason(issues: Sequence[QualityIssue]) -> list[tuple[QualityReason, int, float]]:
    """(reason, number of issues, their gain) for each reason, the highest gain first."""
    times = Counter(issue.reason for issue in issues)
    gains: defaultdict[QualityReason, float] = defaultdict(float)
    for issue in issues:
        gains[issue.reason] += issue.gain
    return sorted(
        ((reason, number, round(gains[reason], GAIN_DIGITS)) for reason, number in times.items()),
        key=lambda row: (-row[2], row[0]),
    )
