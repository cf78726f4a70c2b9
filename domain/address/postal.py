"""Validation of postal addresses: complete, with places in their official spelling."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace

from domain.address.foreign import normalize_foreign_address
from domain.address.located import locate_address
from domain.address.parts import (
    PostalAddress,
    ambiguous_area_error,
    list_places,
    missing_part_error,
    term_for,
)
from domain.address.windows import check_preferred_time
from domain.contact import HOME_REGION, normalize_country, normalize_name, normalize_phone
from domain.errors import Invalid, collect_refusals
from domain.incoming_text import Field
from geo import AmbiguousArea, UnknownArea, full_names
from models import POSTAL_FIELDS, AddressColumns

PART_LIMIT = 200

REQUIRED_IN_CHINA = ("province", "city", "line1")
CHINESE_POSTAL_CODE = re.compile(r"\d{6}")


def postal_address_of(row: AddressColumns) -> PostalAddress:
    """The postal address of a row that has its columns."""
    return PostalAddress(**{part.name: getattr(row, part.name) for part in fields(PostalAddress)})


def normalize_address(postal: PostalAddress, *, field: Field = ()) -> PostalAddress:
    """The address as it is stored; refusals name every part that is missing or wrong.

    Places and phone number depend on the country: of an address in none they are not checked.
    """
    texts = {name: " ".join(getattr(postal, name).split()) for name in POSTAL_FIELDS}
    with collect_refusals() as check:
        for name, text in texts.items():
            if len(text) > PART_LIMIT:
                check.add(Invalid("At most {limit} characters.", limit=PART_LIMIT, field=(*field, name)))
        recipient = check.value(normalize_name, "", texts["recipient"], field=(*field, "recipient"))
        country = normalize_country(postal.country_code, field=(*field, "country_code"))
        postal = with_texts(postal, texts | {"country_code": country})
        phone_field = (*field, "phone")
        phone = check.value(normalize_phone, "", postal.phone, region=country, field=phone_field)
        at_home = country == HOME_REGION
        with check:
            check_preferred_time(postal, field)
        postal = (normalize_chinese_address if at_home else normalize_foreign_address)(postal, field)
    return locate_address(replace(postal, recipient=recipient, phone=phone), field)


def with_texts(postal: PostalAddress, texts: Mapping[str, str]) -> PostalAddress:
    unwritten = {part.name: getattr(postal, part.name) for part in fields(postal) if part.name not in texts}
    return PostalAddress(**{**unwritten, **texts})


def normalize_chinese_address(postal: PostalAddress, field: Field) -> PostalAddress:
    """The address with full names; Invalid unless province, city and district exist in each other.

    Cities that are not divided into districts, such as 东莞市, need none.
    """
    with collect_refusals() as check:
        for name in REQUIRED_IN_CHINA:
            if not getattr(postal, name):
                check.add(missing_part_error(name, field))
        if postal.postal_code and not CHINESE_POSTAL_CODE.fullmatch(postal.postal_code):
            check.add(Invalid("A Chinese postal code has six digits.", field=(*field, "postal_code")))
    try:
        province, city, district = full_names(postal.province, postal.city, postal.district)
    except AmbiguousArea as several:
        raise ambiguous_area_error(several, field) from None
    except UnknownArea as unknown:
        raise unknown_area_error(unknown, field) from None
    return replace(postal, province=province, city=city, district=district)


def unknown_area_error(unknown: UnknownArea, field: Field) -> Invalid:
    if not unknown.name:
        return missing_part_error(unknown.level, field)
    return Invalid(
        "{place} has no such {part}; there are {names}.",
        place=unknown.within,
        part=term_for(unknown.level),
        names=list_places(unknown.allowed),
        field=(*field, unknown.level),
    )
