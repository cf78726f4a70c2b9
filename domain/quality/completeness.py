"""What a whole product has: what any has, and what its category asks for."""

from collections.abc import Iterator

from domain.quality.facts import Catalogue, ProductFacts
from domain.quality.issue import Issue, QualityReason

SHORT = 10
"""Letters: fewer are no description."""

ALWAYS = 6
"""Picture, description, category, price, weight and translation: asked of every product."""


def score(catalogue: Catalogue, product: ProductFacts, gaps: list[Issue]) -> int:
    """How much of what is asked of it, in percent; each required attribute is asked for by itself."""
    asked = ALWAYS + len(catalogue.required_of(product))
    lacking = sum(1 for gap in gaps if gap.reason is QualityReason.ATTRIBUTE)
    lacking += len({gap.reason for gap in gaps} - {QualityReason.ATTRIBUTE})
    return 100 * (asked - lacking) // asked


def gaps_of(catalogue: Catalogue, product: ProductFacts) -> Iterator[Issue]:
    def gap(reason: QualityReason, field: str, words: str) -> Issue:
        return Issue(product.id, reason, field, words)

    if not product.pictures:
        yield gap(QualityReason.PICTURE, "media", "It has no picture.")
    if len(product.text) < SHORT:
        words = "It has no description." if not product.text else f"It is described by “{product.text}” only."
        yield gap(QualityReason.DESCRIPTION, "description", words)
    if not product.line:
        yield gap(QualityReason.CATEGORY, "category", "It has no category.")
    for attribute in catalogue.required_of(product):
        if attribute.id not in product.said:
            words = f"Its category asks for {attribute.name}."
            yield gap(QualityReason.ATTRIBUTE, f"attributes.{attribute.code}", words)
    if not product.variants:
        yield gap(QualityReason.PRICE, "variants", "It has no variant that could be bought.")
    for variant in product.variants:
        if not variant.prices:
            yield gap(QualityReason.PRICE, f"variants.{variant.label}.prices", "It has no price.")
    if weightless := [each for each in product.variants if each.requires_shipping and not each.weight_grams]:
        words = "It has no weight."
        if len(product.variants) > 1:
            words = f"{len(weightless)} of its {len(product.variants)} variants have no weight."
        yield gap(QualityReason.WEIGHT, f"variants.{weightless[0].label}.weightGrams", words)
    yield from missing_translations(catalogue, product)


def missing_translations(catalogue: Catalogue, product: ProductFacts) -> Iterator[Issue]:
    """All its texts in the languages of the catalogue; in any second one, where there are none yet."""
    if not catalogue.languages and not product.translations:
        words = "Its texts are there in one language only."
        yield Issue(product.id, QualityReason.TRANSLATION, "translations", words)
    for language in sorted(catalogue.languages):
        texts = product.translations.get(language, {})
        wanted = {"title": bool(product.title), "description": bool(product.text)}
        if missing := [name for name, there in wanted.items() if there and not texts.get(name)]:
            words = (
                f"Its {' and its '.join(missing)} {'are' if missing[1:] else 'is'} not there in {language}."
            )
            yield Issue(product.id, QualityReason.TRANSLATION, f"translations.{language}", words)
