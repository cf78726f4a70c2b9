"""Parsers for texts that forms and files have in common; ValueError says what is wrong."""

import re

from domain.catalog.limits import SLUG_LIMIT, URL_LIMIT
from domain.catalog.problems import quote_value

_PICTURE_URL = re.compile(r"(https?:)?//[^/\s]\S*|/[^/\s]\S*", re.IGNORECASE)


def parse_slug(text: str) -> str:
    if len(text) > SLUG_LIMIT:
        raise ValueError(f"has {len(text):,} characters; at most {SLUG_LIMIT} are taken")
    if not re.fullmatch(r"[\w-]+", text):
        raise ValueError(f"{quote_value(text)} may only hold letters, digits, - and _")
    return text


def parse_picture_url(text: str) -> str:
    """An address elsewhere, or a path of the shop's own."""
    if len(text) > URL_LIMIT:
        raise ValueError(f"has {len(text):,} characters; at most {URL_LIMIT:,} are taken")
    if not _PICTURE_URL.fullmatch(text):
        raise ValueError(f"{quote_value(text)} is not the address of a picture")
    return text
