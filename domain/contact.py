"""Normalizing e-mail addresses, phone numbers, names and country codes; Invalid for what is none."""

import re

import phonenumbers

from domain.errors import Invalid

EMAIL_LIMIT = 254
"""The longest address a mail server must accept, in characters (RFC 5321, 4.5.3.1.3)."""
EMAIL = re.compile(r"[^\s@\x00-\x20\x7f]+@[^\s@.\x00-\x20\x7f]+(\.[^\s@.\x00-\x20\x7f]+)+")

NAME_LIMIT = 100
HOME_REGION = "CN"
"""The shop's own country, to which a phone number without a country code belongs."""

Field = tuple[str | int, ...]


def normalize_email(text: str, *, field: Field = ("email",)) -> str:
    """The address in lower case: nobody has two addresses that differ in case only."""
    email = text.strip().lower()
    if len(email) > EMAIL_LIMIT or not EMAIL.fullmatch(email):
        raise Invalid("This is not an e-mail address.", field=field)
    return email


def normalize_phone(text: str, *, region: str = HOME_REGION, field: Field = ("phone",)) -> str:
    """The number in E.164, such as "+8613800138000"; `region` is its country if it has no country code."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise Invalid("This is not a phone number.", field=field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalize_login(text: str) -> str | None:
    """An e-mail address or phone number to sign in with, as it is stored; None when it is neither."""
    try:
        return normalize_email(text) if "@" in text else normalize_phone(text)
    except Invalid:
        return None


def normalize_name(text: str, *, field: Field = ("name",)) -> str:
    """The name with single spaces."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Invalid(f"A name has 1 to {NAME_LIMIT} characters.", field=field)
    return name


def normalize_country(code: str, *, field: Field = ("country_code",)) -> str:
    """The ISO 3166 code in capitals."""
    country = code.strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("This is not the two-letter code of a country.", field=field)
    return country
