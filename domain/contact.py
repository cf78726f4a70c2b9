"""Normalizing e-mail addresses, phone numbers, names and country codes; Invalid for what is none."""

import re
import unicodedata

import idna
import phonenumbers

from domain.errors import Invalid
from domain.incoming_text import Field, normalize_incoming_text
from text.characters import INVISIBLE
from text.scripts import mixes_scripts

EMAIL_LIMIT = 254
"""The longest address a mail server must accept, in characters (RFC 5321, 4.5.3.1.3)."""
EMAIL = re.compile(r"[^\s@\x00-\x20\x7f]+@[^\s@.\x00-\x20\x7f]+(\.[^\s@.\x00-\x20\x7f]+)+")
ENCODED_LABEL = "xn--"
"""The beginning of a part of a domain that stands for other letters (RFC 5890)."""

NAME_LIMIT = 100
HOME_REGION = "CN"
"""The shop's own country, to which a phone number without a country code belongs."""


def normalize_email(text: str, *, field: Field = ("email",)) -> str:
    """The address in lower case and NFKC, its domain in ASCII: nobody has two that only look different.

    Invalid where a word mixes scripts, so that no address looks like another one.
    """
    email = fold_email(normalize_incoming_text(text, field=field))
    if len(email) > EMAIL_LIMIT or not EMAIL.fullmatch(email):
        raise Invalid("This is not an e-mail address.", field=field)
    if email.isascii() and ENCODED_LABEL not in email:
        return email
    local_part, _, domain = email.partition("@")
    encoded, readable = encode_domain(domain, field=field)
    if mixes_scripts(local_part) or mixes_scripts(readable):
        raise Invalid("A word of an e-mail address has letters of one script only.", field=field)
    return f"{local_part}@{encoded}"


def fold_email(text: str) -> str:
    """The text in lower case, with one spelling for each letter: full-width letters and dots are plain."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).lower())
    return INVISIBLE.sub("", folded).replace("。", ".")


def encode_domain(domain: str, *, field: Field) -> tuple[str, str]:
    """A domain in ASCII, and as people read it; Invalid for one that cannot be registered (IDNA 2008)."""
    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii")
        return encoded, idna.decode(encoded)
    except idna.IDNAError:
        raise Invalid("This is not an e-mail address.", field=field) from None


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
        return normalize_email(text) if "@" in fold_email(text) else normalize_phone(text)
    except Invalid:
        return None


def normalize_name(text: str, *, field: Field = ("name",)) -> str:
    """The name with single spaces."""
    name = " ".join(normalize_incoming_text(text, field=field).split())
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Invalid("A name has 1 to {limit} characters.", limit=NAME_LIMIT, field=field)
    return name


def normalize_country(code: str, *, field: Field = ("country_code",)) -> str:
    """The ISO 3166 code in capitals."""
    country = code.strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("This is not the two-letter code of a country.", field=field)
    return country
