"""Texts with a number without a unit, or in another unit than the texts of the same category."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from domain.quality.facts import CatalogueFacts
from domain.quality.issue import QualityIssue, QualityReason
from models import AttributeType
from text.messages import Message

MEASURE = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*([^\d\s.,;:/×x*()-]{0,12})\s*")

MIN_MEASURES = 4
"""Texts with a number that are needed before units are compared."""

AGREEING_SHARE = 0.75
"""The share of them that has to use the same unit."""


def find_wrong_units(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    texts: defaultdict[tuple[int, int], dict[int, str]] = defaultdict(dict)
    for product in catalogue.products:
        for attribute_id, attribute_values in product.attribute_values.items():
            attribute = catalogue.attributes[attribute_id]
            if (
                attribute.type is AttributeType.TEXT
                and product.category_ids
                and isinstance(attribute_values[0], str)
            ):
                texts[attribute_id, product.category_ids[-1]][product.id] = attribute_values[0]
    for (attribute_id, _), text_of in texts.items():
        attribute = catalogue.attributes[attribute_id]
        for product_id, message in find_odd_units(text_of):
            yield QualityIssue(product_id, QualityReason.UNIT, f"attributes.{attribute.code}", message)
    for product in catalogue.products:
        names = {option["name"] for variant in product.variants for option in variant.options}
        for name in sorted(names):
            values = {
                variant.id: option["value"]
                for variant in product.variants
                for option in variant.options
                if option["name"] == name
            }
            for variant_id, message in find_odd_units(values):
                label = next(each.label for each in product.variants if each.id == variant_id)
                yield QualityIssue(
                    product.id, QualityReason.UNIT, f"variants.{label}.options.{name}", message
                )


def find_odd_units(text_of: Mapping[int, str]) -> Iterator[tuple[int, Message]]:
    """(key, message) of the texts that do not use the unit most others use."""
    measures = {key: found for key, text in text_of.items() if (found := MEASURE.fullmatch(text))}
    units = Counter(found[2].casefold() for found in measures.values())
    if len(measures) < max(MIN_MEASURES, AGREEING_SHARE * len(text_of)) or len(units) < 2:
        return
    (usual, times), *_ = units.most_common()
    if not usual or times < AGREEING_SHARE * len(measures):
        return
    for key, found in measures.items():
        if not found[2]:
            yield key, Message("“{text}” has no unit; others are in {usual}.", text=text_of[key], usual=usual)
        elif found[2].casefold() != usual:
            yield (
                key,
                Message(
                    "“{text}” is in {unit}; others are in {usual}.",
                    text=text_of[key],
                    unit=found[2],
                    usual=usual,
                ),
            )
