"""Names, slugs and codes for what an edition brings."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from domain.catalog.limits import SLUG_LIMIT
from domain.catalog.slugs import slug_of
from domain.catalog.taxonomy.standard.edition import (
    MAIN_LANGUAGE,
    LocalizedNames,
    TaxonomyAttribute,
    TaxonomyCategory,
)
from models import Translations


def choose_language(languages: Sequence[str], shop: str) -> str:
    """The language of an edition that is nearest to the shop's: itself, a variety of it, or English."""
    primary = shop.partition("-")[0]
    similar = (language for language in languages if language.partition("-")[0] == primary)
    return shop if shop in languages else next(similar, MAIN_LANGUAGE)


def localize_name(names: LocalizedNames, own: str, translations: Translations) -> tuple[str, Translations]:
    """The name in the shop's language, and `translations` with the names in the others."""
    translated = {
        language: {**translations.get(language, {}), "name": name}
        for language, name in names.items()
        if language != own or language in translations
    }
    return names[own], {**translations, **translated}


def distinct_names(categories: Sequence[TaxonomyCategory]) -> dict[str, LocalizedNames]:
    """Names by id; siblings with the same name in a language get the English name behind it."""
    siblings = Counter(
        (category.parent_id, language, name)
        for category in categories
        for language, name in category.names.items()
    )
    return {
        category.id: {
            language: f"{name} ({category.names[MAIN_LANGUAGE]})"
            if siblings[category.parent_id, language, name] > 1
            else name
            for language, name in category.names.items()
        }
        for category in categories
    }


def free_slugs(
    categories: Iterable[TaxonomyCategory], names: Mapping[str, LocalizedNames], taken: Collection[str]
) -> dict[str, str]:
    """Slugs by id: the English names from the root down, and the id behind them where the slug is taken."""
    taken = set(taken)
    slugs = {}
    for category in categories:
        slug = slug_of(" ".join(names[id][MAIN_LANGUAGE] for id in category.path_ids))
        if not slug or slug in taken:
            slug = f"{slug[: SLUG_LIMIT - len(category.id) - 1]}-{category.id}".lstrip("-")
        slugs[category.id] = slug
        taken.add(slug)
    return slugs


def free_codes(attributes: Iterable[TaxonomyAttribute], taken: Collection[str]) -> dict[str, str]:
    """Codes by id, with the id behind them where the code is taken."""
    return {
        attribute.id: f"{attribute.code}-{attribute.id}" if attribute.code in taken else attribute.code
        for attribute in attributes
    }
