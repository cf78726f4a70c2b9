"""How somebody is reached: e-mail addresses, phone numbers and names, each in one spelling only."""

import re

import phonenumbers

from domain.errors import Invalid

EMAIL_LIMIT = 254
"""Characters a mail server has to take (RFC 5321, 4.5.3.1.3)."""
EMAIL = re.compile(r"[^\s@\x00-\x20\x7f]+@[^\s@.\x00-\x20\x7f]+(\.[^\s@.\x00-\x20\x7f]+)+")

NAME_LIMIT = 100
HOME_REGION = "CN"
"""Where a number without a country code belongs."""

Field = tuple[str | int, ...]


def email_of(text: str, *, field: Field = ("email",)) -> str:
    """The address in lower case: mail servers take it so, and nobody has two that differ in case only."""
    email = text.strip().lower()
    if len(email) > EMAIL_LIMIT or not EMAIL.fullmatch(email):
        raise Invalid("This is not an e-mail address.", field=field)
    return email


def phone_of(text: str, *, region: str = HOME_REGION, field: Field = ("phone",)) -> str:
    """The number in E.164, "+8613800138000"."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise Invalid("This is not a phone number.", field=field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def login_of(text: str) -> str | None:
    """What somebody signs in with, in the spelling it is stored in; None when nobody can have it."""
    try:
        return email_of(text) if "@" in text else phone_of(text)
    except Invalid:
        return None


def name_of(text: str, *, field: Field = ("name",)) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Invalid(f"A name has 1 to {NAME_LIMIT} characters.", field=field)
    return name


def country_of(code: str, *, field: Field = ("country_code",)) -> str:
    """An ISO 3166 code in capitals."""
    country = code.strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("This is not the two-letter code of a country.", field=field)
    return country
