"""Completeness of a product: what every product needs, and the attributes its category requires."""

from collections.abc import Callable, Iterator, Mapping

from domain.quality.facts import CatalogueFacts, ProductFacts
from domain.quality.issue import QualityIssue, QualityReason
from text.messages import Message

DESCRIPTION_LENGTH = 10
"""Characters that a description has at least."""

ALWAYS_REQUIRED = 6
"""How many things every product needs: picture, description, category, price, weight and translation."""

MISSING_TRANSLATIONS: Mapping[tuple[str, ...], Callable[[str], Message]] = {
    ("title",): lambda language: Message("Its title is not there in {language}.", language=language),
    ("description",): lambda language: Message(
        "Its description is not there in {language}.", language=language
    ),
    ("title", "description"): lambda language: Message(
        "Its title and its description are not there in {language}.", language=language
    ),
}


def completeness_of(catalogue: CatalogueFacts, product: ProductFacts, gaps: list[QualityIssue]) -> int:
    """The share of what the product needs that it has, in percent; each required attribute counts."""
    needed = ALWAYS_REQUIRED + len(catalogue.required_attributes(product))
    missing = sum(1 for gap in gaps if gap.reason is QualityReason.ATTRIBUTE)
    missing += len({gap.reason for gap in gaps} - {QualityReason.ATTRIBUTE})
    return 100 * (needed - missing) // needed


def gaps_of(catalogue: CatalogueFacts, product: ProductFacts) -> Iterator[QualityIssue]:
    def gap(reason: QualityReason, field: str, message: Message) -> QualityIssue:
        return QualityIssue(product.id, reason, field, message)

    if not product.pictures:
        yield gap(QualityReason.PICTURE, "media", Message("It has no picture."))
    if len(product.text) < DESCRIPTION_LENGTH:
        message = (
            Message("It is described by “{text}” only.", text=product.text)
            if product.text
            else Message("It has no description.")
        )
        yield gap(QualityReason.DESCRIPTION, "description", message)
    if not product.category_ids:
        yield gap(QualityReason.CATEGORY, "category", Message("It has no category."))
    for attribute in catalogue.required_attributes(product):
        if attribute.id not in product.attribute_values:
            message = Message("Its category asks for {attribute}.", attribute=attribute.name)
            yield gap(QualityReason.ATTRIBUTE, f"attributes.{attribute.code}", message)
    if not product.variants:
        yield gap(QualityReason.PRICE, "variants", Message("It has no variant that could be bought."))
    for variant in product.variants:
        if not variant.prices:
            yield gap(QualityReason.PRICE, f"variants.{variant.label}.prices", Message("It has no price."))
    if weightless := [each for each in product.variants if each.requires_shipping and not each.weight_grams]:
        message = Message("It has no weight.")
        if len(product.variants) > 1:
            message = Message(
                "{weightless} of its {variants} variants have no weight.",
                weightless=len(weightless),
                variants=len(product.variants),
            )
        yield gap(QualityReason.WEIGHT, f"variants.{weightless[0].label}.weightGrams", message)
    yield from find_missing_translations(catalogue, product)


def find_missing_translations(catalogue: CatalogueFacts, product: ProductFacts) -> Iterator[QualityIssue]:
    """An issue for each language of the catalogue that texts lack; none in a shop of one language."""
    for language in sorted(catalogue.languages):
        texts = product.translations.get(language, {})
        has_original = {"title": bool(product.title), "description": bool(product.text)}
        if missing := [name for name, there in has_original.items() if there and not texts.get(name)]:
            message = MISSING_TRANSLATIONS[tuple(missing)](language)
            yield QualityIssue(product.id, QualityReason.TRANSLATION, f"translations.{language}", message)
