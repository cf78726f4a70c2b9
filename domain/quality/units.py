"""Numbers in texts: said without a unit, or in another one than their siblings."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from domain.quality.facts import Catalogue
from domain.quality.issue import Issue, QualityReason
from models import AttributeType

MEASURE = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*([^\d\s.,;:/×x*()-]{0,12})\s*")

SIBLINGS = 4
"""Fewer tell nothing."""

MOST = 0.75
"""The part of the siblings that has to agree."""


def wrong_units(catalogue: Catalogue) -> Iterator[Issue]:
    texts: defaultdict[tuple[int, int], dict[int, str]] = defaultdict(dict)
    for product in catalogue.products:
        for attribute_id, said in product.said.items():
            attribute = catalogue.attributes[attribute_id]
            if attribute.type is AttributeType.TEXT and product.line and isinstance(said[0], str):
                texts[attribute_id, product.line[-1]][product.id] = said[0]
    for (attribute_id, _), said_by in texts.items():
        attribute = catalogue.attributes[attribute_id]
        for product_id, words in odd_units(said_by):
            yield Issue(product_id, QualityReason.UNIT, f"attributes.{attribute.code}", words)
    for product in catalogue.products:
        names = {option["name"] for variant in product.variants for option in variant.options}
        for name in sorted(names):
            values = {
                variant.id: option["value"]
                for variant in product.variants
                for option in variant.options
                if option["name"] == name
            }
            for variant_id, words in odd_units(values):
                label = next(each.label for each in product.variants if each.id == variant_id)
                yield Issue(product.id, QualityReason.UNIT, f"variants.{label}.options.{name}", words)


def odd_units(said_by: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Those who do not use the unit that nearly all the others use."""
    measures = {key: found for key, text in said_by.items() if (found := MEASURE.fullmatch(text))}
    units = Counter(found[2].casefold() for found in measures.values())
    if len(measures) < max(SIBLINGS, MOST * len(said_by)) or len(units) < 2:
        return
    (usual, times), *_ = units.most_common()
    if not usual or times < MOST * len(measures):
        return
    for key, found in measures.items():
        if not found[2]:
            yield key, f"“{said_by[key]}” has no unit; others are said in {usual}."
        elif found[2].casefold() != usual:
            yield key, f"“{said_by[key]}” is in {found[2]}; others are said in {usual}."
