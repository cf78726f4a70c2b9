"""What the shop calls what an edition names: in its own language, with translations, by slug and code."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from domain.catalog.interchange import SLUG_LIMIT
from domain.catalog.slugs import slug_of
from domain.catalog.taxonomy.edition import MAIN, Names, TaxonomyAttribute, TaxonomyCategory
from models import Translations


def own_language(languages: Sequence[str], shop: str) -> str:
    """The language of an edition that the shop reads best."""
    primary = shop.partition("-")[0]
    alike = (language for language in languages if language.partition("-")[0] == primary)
    return shop if shop in languages else next(alike, MAIN)


def worded(names: Names, own: str, translations: Translations) -> tuple[str, Translations]:
    """A name, and `translations` with the names in other languages."""
    spoken = {
        language: {**translations.get(language, {}), "name": name}
        for language, name in names.items()
        if language != own or language in translations
    }
    return names[own], {**translations, **spoken}


def told_apart(categories: Sequence[TaxonomyCategory]) -> dict[str, Names]:
    """Names by id; sisters that a language calls the same have the English name behind theirs."""
    sisters = Counter(
        (category.parent_id, language, name)
        for category in categories
        for language, name in category.names.items()
    )
    return {
        category.id: {
            language: f"{name} ({category.names[MAIN]})"
            if sisters[category.parent_id, language, name] > 1
            else name
            for language, name in category.names.items()
        }
        for category in categories
    }


def free_slugs(
    categories: Iterable[TaxonomyCategory], names: Mapping[str, Names], taken: Collection[str]
) -> dict[str, str]:
    """English names from the root down; where somebody has that slug already, with the id behind."""
    taken = set(taken)
    slugs = {}
    for category in categories:
        slug = slug_of(" ".join(names[id][MAIN] for id in category.line))
        if not slug or slug in taken:
            slug = f"{slug[: SLUG_LIMIT - len(category.id) - 1]}-{category.id}".lstrip("-")
        slugs[category.id] = slug
        taken.add(slug)
    return slugs


def free_codes(attributes: Iterable[TaxonomyAttribute], taken: Collection[str]) -> dict[str, str]:
    """Codes by id; where an attribute of the shop has that code already, with the id behind."""
    return {
        attribute.id: f"{attribute.code}-{attribute.id}" if attribute.code in taken else attribute.code
        for attribute in attributes
    }
