"""Outliers among the numbers of a category, by the median and the median absolute deviation (MAD).

Both tolerate that many of the numbers are wrong, too. Numbers are compared by their logarithms: twice as
much is as far away as half as much.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import exp, log
from statistics import median

from domain.quality.facts import CatalogueFacts, ProductFacts
from domain.quality.issue import QualityIssue, QualityReason
from models import AttributeType, CurrencyCode, Money
from text.messages import Message

MIN_SIBLINGS = 8
"""Products with a number that a category needs before outliers are looked for."""

FAR_DEVIATIONS = 5.0
"""Deviations from the median beyond which a number is an outlier; the usual 3.5 is too strict here."""

MAD_OF_NORMAL = 0.6745
"""The MAD of a normal distribution, in standard deviations."""

MIN_SPREAD = 0.15
"""The least MAD that is assumed: if all numbers were equal, any other would be infinitely far away."""

MIN_FACTOR = 4.0
"""A number that differs from the median by a smaller factor is never an outlier."""

FAR_REDUCTION = 10
"""A price before that is so many times the price is likely a typing error."""

UNIT_FACTORS = (
    (1_000, Message("a thousand times")),
    (100, Message("a hundred times")),
    (28.35, Message("about 28 times")),
    (2.54, Message("2.54 times")),
)
"""Factors between units that are confused: kg and g, m and cm, oz and g, in and cm."""

Numbers = Mapping[int, float]
"""Product id -> its number, above 0."""

Groups = Mapping[int, Sequence[ProductFacts]]
"""Category id -> the products in it or below it."""


def find_outliers(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    groups = group_by_category(catalogue)
    with_price_issue: set[int] = set()
    for currency in CurrencyCode:
        for issue in find_price_outliers(catalogue, groups, currency):
            if issue.product_id not in with_price_issue:
                with_price_issue.add(issue.product_id)
                yield issue
    yield from find_weight_outliers(catalogue, groups)
    for attribute in catalogue.attributes.values():
        if attribute.type is AttributeType.NUMBER:
            yield from find_number_outliers(catalogue, groups, attribute.id)
    for product in catalogue.products:
        yield from find_wrong_compare_at(product)


def find_price_outliers(
    catalogue: CatalogueFacts, groups: Groups, currency: CurrencyCode
) -> Iterator[QualityIssue]:
    prices = {
        product.id: price for product in catalogue.products if (price := product.price(currency)) is not None
    }
    for product_id, price in prices.items():
        if price == 0:
            yield QualityIssue(
                product_id, QualityReason.PRICE_OUTLIER, f"prices.{currency}", Message("It costs nothing.")
            )
    usable = {product_id: float(price) for product_id, price in prices.items() if price}
    for product, usual, category in find_far_off(catalogue, groups, usable):
        message = Message(
            "It costs {price}, what else is in {category} about {usual}.",
            price=Money(prices[product.id], currency),
            category=category,
            usual=Money(round(usual), currency),
        )
        yield QualityIssue(product.id, QualityReason.PRICE_OUTLIER, f"prices.{currency}", message)


def find_weight_outliers(catalogue: CatalogueFacts, groups: Groups) -> Iterator[QualityIssue]:
    weights = {
        product.id: float(grams)
        for product in catalogue.products
        if (grams := max((each.weight_grams for each in product.variants), default=0))
    }
    for product, usual, category in find_far_off(catalogue, groups, weights):
        weight = weights[product.id]
        hint = unit_hint(weight, usual)
        template = (
            "It weighs {weight} g, what else is in {category} about {usual} g. {hint}"
            if hint
            else "It weighs {weight} g, what else is in {category} about {usual} g."
        )
        message = Message(template, weight=round(weight), category=category, usual=round(usual), hint=hint)
        yield QualityIssue(product.id, QualityReason.WEIGHT_OUTLIER, "variants.weightGrams", message)


def find_number_outliers(
    catalogue: CatalogueFacts, groups: Groups, attribute_id: int
) -> Iterator[QualityIssue]:
    attribute = catalogue.attributes[attribute_id]
    numbers = {
        product.id: number
        for product in catalogue.products
        if isinstance(number := (product.attribute_values.get(attribute_id) or [None])[0], float)
        and number > 0
    }
    unit = f" {attribute.unit}" if attribute.unit else ""
    for product, usual, category in find_far_off(catalogue, groups, numbers):
        number = numbers[product.id]
        hint = unit_hint(number, usual)
        template = (
            "Its {attribute} is {number}, that of what else is in {category} about {usual}. {hint}"
            if hint
            else "Its {attribute} is {number}, that of what else is in {category} about {usual}."
        )
        message = Message(
            template,
            attribute=attribute.name,
            number=f"{number:g}{unit}",
            category=category,
            usual=f"{usual:g}{unit}",
            hint=hint,
        )
        yield QualityIssue(product.id, QualityReason.NUMBER_OUTLIER, f"attributes.{attribute.code}", message)


def find_wrong_compare_at(product: ProductFacts) -> Iterator[QualityIssue]:
    """One issue per product, of its first compare-at price that misleads; one equal to the price does not."""
    for variant in product.variants:
        for currency, (amount, before) in variant.prices.items():
            if before is None or amount <= before < amount * FAR_REDUCTION or not amount:
                continue
            message = Message(
                "It costs {price} and is said to have cost {before}.",
                price=Money(amount, currency),
                before=Money(before, currency),
            )
            field = f"variants.{variant.label}.prices.{currency}.compareAt"
            yield QualityIssue(product.id, QualityReason.COMPARE_AT_PRICE, field, message)
            return


def group_by_category(catalogue: CatalogueFacts) -> Groups:
    """Category id -> all products in it or below it."""
    groups: defaultdict[int, list[ProductFacts]] = defaultdict(list)
    for product in catalogue.products:
        for above in product.category_ids:
            groups[above].append(product)
    return groups


def find_far_off(
    catalogue: CatalogueFacts, groups: Groups, numbers: Numbers
) -> Iterator[tuple[ProductFacts, float, str]]:
    """Outliers with the usual number and the name of their category, the nearest one with enough numbers."""
    usual_range_of = cache(lambda category: usual_range(groups[category], numbers))
    for product in catalogue.products:
        if product.id not in numbers:
            continue
        for category in reversed(product.category_ids):
            usual = usual_range_of(category)
            if usual is None:
                continue
            middle, spread = usual
            distance = abs(log(numbers[product.id]) - middle)
            if distance * MAD_OF_NORMAL / spread > FAR_DEVIATIONS and distance > log(MIN_FACTOR):
                yield product, exp(middle), catalogue.categories[category]
            break


def usual_range(products: Sequence[ProductFacts], numbers: Numbers) -> tuple[float, float] | None:
    """Median and MAD of the logarithms; None where there are too few numbers."""
    logs = [log(numbers[each.id]) for each in products if each.id in numbers]
    if len(logs) < MIN_SIBLINGS:
        return None
    middle = median(logs)
    return middle, max(median(abs(each - middle) for each in logs), MIN_SPREAD)


def unit_hint(number: float, usual: float) -> Message | None:
    """A question to add where a number is off by a factor between two units."""
    times = max(number / usual, usual / number)
    for factor, text in UNIT_FACTORS:
        if 0.7 < times / factor < 1.4:
            if number > usual:
                return Message("That is {times} more: is it in the right unit?", times=text)
            return Message("That is {times} less: is it in the right unit?", times=text)
    return None
