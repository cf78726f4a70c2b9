"""Completeness of a product: what every product needs, and the attributes its category requires."""

from collections.abc import Iterator

from domain.quality.facts import CatalogueFacts, ProductFacts
from domain.quality.issue import QualityIssue, QualityReason

DESCRIPTION_LENGTH = 10
"""Characters that a description has at least."""

ALWAYS_REQUIRED = 6
"""How many things every product needs: picture, description, category, price, weight and translation."""


def completeness_of(catalogue: CatalogueFacts, product: ProductFacts, gaps: list[QualityIssue]) -> int:
    """The share of what the product needs that it has, in percent; each required attribute counts."""
    needed = ALWAYS_REQUIRED + len(catalogue.required_attributes(product))
    missing = sum(1 for gap in gaps if gap.reason is QualityReason.ATTRIBUTE)
    missing += len({gap.reason for gap in gaps} - {QualityReason.ATTRIBUTE})
    return 100 * (needed - missing) // needed


def gaps_of(catalogue: CatalogueFacts, product: ProductFacts) -> Iterator[QualityIssue]:
    def gap(reason: QualityReason, field: str, message: str) -> QualityIssue:
        return QualityIssue(product.id, reason, field, message)

    if not product.pictures:
        yield gap(QualityReason.PICTURE, "media", "It has no picture.")
    if len(product.text) < DESCRIPTION_LENGTH:
        message = (
            "It has no description." if not product.text else f"It is described by “{product.text}” only."
        )
        yield gap(QualityReason.DESCRIPTION, "description", message)
    if not product.category_ids:
        yield gap(QualityReason.CATEGORY, "category", "It has no category.")
    for attribute in catalogue.required_attributes(product):
        if attribute.id not in product.attribute_values:
            message = f"Its category asks for {attribute.name}."
            yield gap(QualityReason.ATTRIBUTE, f"attributes.{attribute.code}", message)
    if not product.variants:
        yield gap(QualityReason.PRICE, "variants", "It has no variant that could be bought.")
    for variant in product.variants:
        if not variant.prices:
            yield gap(QualityReason.PRICE, f"variants.{variant.label}.prices", "It has no price.")
    if weightless := [each for each in product.variants if each.requires_shipping and not each.weight_grams]:
        message = "It has no weight."
        if len(product.variants) > 1:
            message = f"{len(weightless)} of its {len(product.variants)} variants have no weight."
        yield gap(QualityReason.WEIGHT, f"variants.{weightless[0].label}.weightGrams", message)
    yield from find_missing_translations(catalogue, product)


def find_missing_translations(catalogue: CatalogueFacts, product: ProductFacts) -> Iterator[QualityIssue]:
    """An issue for each language of the catalogue that texts lack, or for any second one if there is none."""
    if not catalogue.languages and not product.translations:
        message = "Its texts are there in one language only."
        yield QualityIssue(product.id, QualityReason.TRANSLATION, "translations", message)
    for language in sorted(catalogue.languages):
        texts = product.translations.get(language, {})
        has_original = {"title": bool(product.title), "description": bool(product.text)}
        if missing := [name for name, there in has_original.items() if there and not texts.get(name)]:
            message = (
                f"Its {' and its '.join(missing)} {'are' if missing[1:] else 'is'} not there in {language}."
            )
            yield QualityIssue(product.id, QualityReason.TRANSLATION, f"translations.{language}", message)
