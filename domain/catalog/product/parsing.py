"""Parsers for texts that forms and files have in common; ValueError says what is wrong."""

import re

from domain.catalog.limits import SLUG_LIMIT, URL_LIMIT
from domain.catalog.problems import WrongText, quote_value

_PICTURE_URL = re.compile(r"(https?:)?//[^/\s]\S*|/[^/\s]\S*", re.IGNORECASE)


def parse_slug(text: str) -> str:
    if len(text) > SLUG_LIMIT:
        raise WrongText(
            "has {length} characters; at most {limit} are taken", length=len(text), limit=SLUG_LIMIT
        )
    if not re.fullmatch(r"[\w-]+", text):
        raise WrongText("{text} may only hold letters, digits, - and _", text=quote_value(text))
    return text


def parse_picture_url(text: str) -> str:
    """An address elsewhere, or a path of the shop's own."""
    if len(text) > URL_LIMIT:
        raise WrongText(
            "has {length} characters; at most {limit} are taken", length=len(text), limit=URL_LIMIT
        )
    if not _PICTURE_URL.fullmatch(text):
        raise WrongText("{text} is not the address of a picture", text=quote_value(text))
    return text
