"""Numbers that are far from their siblings', by the median and the median absolute deviation.

Both bear that a good part of the siblings is wrong, too. Numbers are compared by their logarithms: twice
as much is as far as half as much.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import exp, log
from statistics import median

from domain.quality.facts import Catalogue, ProductFacts
from domain.quality.issue import Issue, QualityReason
from models import AttributeType, CurrencyCode, Money

SIBLINGS = 8
"""Fewer tell nothing."""

FAR = 5.0
"""Deviations from the median that are too many; 3.5 is usual, and too often wrong in a shop."""

NORMAL = 0.6745
"""Of a normal distribution, the median absolute deviation in standard deviations."""

LEAST_SPREAD = 0.15
"""Siblings that are all the same would make anything else infinitely far."""

TIMES = 4.0
"""A number less than so many times off is never far."""

UNITS = (
    (1_000, "a thousand times"),
    (100, "a hundred times"),
    (28.35, "about 28 times"),
    (2.54, "2.54 times"),
)
"""Factors between units that are taken for each other: kg and g, m and cm, oz and g, in and cm."""

Numbers = Mapping[int, float]
"""Product -> its number, above 0."""

Groups = Mapping[int, Sequence[ProductFacts]]


def outliers(catalogue: Catalogue) -> Iterator[Issue]:
    groups = groups_of(catalogue)
    said: set[int] = set()
    for currency in CurrencyCode:
        for issue in price_outliers(catalogue, groups, currency):
            if issue.product_id not in said:
                said.add(issue.product_id)
                yield issue
    yield from weight_outliers(catalogue, groups)
    for attribute in catalogue.attributes.values():
        if attribute.type is AttributeType.NUMBER:
            yield from number_outliers(catalogue, groups, attribute.id)
    for product in catalogue.products:
        yield from wrong_compare_at(product)


def price_outliers(catalogue: Catalogue, groups: Groups, currency: CurrencyCode) -> Iterator[Issue]:
    prices = {
        product.id: price for product in catalogue.products if (price := product.price(currency)) is not None
    }
    for product_id, price in prices.items():
        if price == 0:
            yield Issue(product_id, QualityReason.PRICE_OUTLIER, f"prices.{currency}", "It costs nothing.")
    usable = {product_id: float(price) for product_id, price in prices.items() if price}
    for product, usual, category in far_off(catalogue, groups, usable):
        words = (
            f"It costs {Money(prices[product.id], currency)}, what else is in {category}"
            f" about {Money(round(usual), currency)}."
        )
        yield Issue(product.id, QualityReason.PRICE_OUTLIER, f"prices.{currency}", words)


def weight_outliers(catalogue: Catalogue, groups: Groups) -> Iterator[Issue]:
    weights = {
        product.id: float(weight)
        for product in catalogue.products
        if (weight := max((each.weight_grams for each in product.variants), default=0))
    }
    for product, usual, category in far_off(catalogue, groups, weights):
        said = weights[product.id]
        words = (
            f"It weighs {said:,.0f} g, what else is in {category} about {usual:,.0f} g.{hint(said, usual)}"
        )
        yield Issue(product.id, QualityReason.WEIGHT_OUTLIER, "variants.weightGrams", words)


def number_outliers(catalogue: Catalogue, groups: Groups, attribute_id: int) -> Iterator[Issue]:
    attribute = catalogue.attributes[attribute_id]
    numbers = {
        product.id: number
        for product in catalogue.products
        if isinstance(number := (product.said.get(attribute_id) or [None])[0], float) and number > 0
    }
    unit = f" {attribute.unit}" if attribute.unit else ""
    for product, usual, category in far_off(catalogue, groups, numbers):
        said = numbers[product.id]
        words = (
            f"Its {attribute.name} is {said:g}{unit}, that of what else is in {category}"
            f" about {usual:g}{unit}.{hint(said, usual)}"
        )
        yield Issue(product.id, QualityReason.NUMBER_OUTLIER, f"attributes.{attribute.code}", words)


def wrong_compare_at(product: ProductFacts) -> Iterator[Issue]:
    for variant in product.variants:
        for currency, (amount, before) in variant.prices.items():
            if before is not None and before <= amount:
                words = (
                    f"It costs {Money(amount, currency)} and is said to have cost {Money(before, currency)}."
                )
                field = f"variants.{variant.label}.prices.{currency}.compareAt"
                yield Issue(product.id, QualityReason.COMPARE_AT_PRICE, field, words)


def groups_of(catalogue: Catalogue) -> Groups:
    """Category -> all products in it or below it."""
    groups: defaultdict[int, list[ProductFacts]] = defaultdict(list)
    for product in catalogue.products:
        for above in product.line:
            groups[above].append(product)
    return groups


def far_off(
    catalogue: Catalogue, groups: Groups, numbers: Numbers
) -> Iterator[tuple[ProductFacts, float, str]]:
    """Products far from the siblings in the nearest category with enough of them; what is usual; its name."""
    usual_in = remembered(lambda category: usual_of(groups[category], numbers))
    for product in catalogue.products:
        if product.id not in numbers:
            continue
        for category in reversed(product.line):
            usual = usual_in(category)
            if usual is None:
                continue
            middle, spread = usual
            away = abs(log(numbers[product.id]) - middle)
            if away * NORMAL / spread > FAR and away > log(TIMES):
                yield product, exp(middle), catalogue.categories[category]
            break


def usual_of(siblings: Sequence[ProductFacts], numbers: Numbers) -> tuple[float, float] | None:
    """Median and spread of the logarithms; None where there are too few."""
    logs = [log(numbers[each.id]) for each in siblings if each.id in numbers]
    if len(logs) < SIBLINGS:
        return None
    middle = median(logs)
    return middle, max(median(abs(each - middle) for each in logs), LEAST_SPREAD)


def remembered(
    work_out: Callable[[int], tuple[float, float] | None],
) -> Callable[[int], tuple[float, float] | None]:
    known: dict[int, tuple[float, float] | None] = {}

    def answer(category: int) -> tuple[float, float] | None:
        if category not in known:
            known[category] = work_out(category)
        return known[category]

    return answer


def hint(said: float, usual: float) -> str:
    """Said where a number is off as if by a unit."""
    times = max(said / usual, usual / said)
    for units, words in UNITS:
        if 0.7 < times / units < 1.4:
            return f" That is {words} {'more' if said > usual else 'less'}: is it in the right unit?"
    return ""
