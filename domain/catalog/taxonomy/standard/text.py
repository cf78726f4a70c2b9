"""Decoding the files of the taxonomy and checking names in them."""

import unicodedata

from domain.catalog.limits import FILE_LIMIT, NAME_LIMIT
from domain.catalog.problems import ProblemList

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
"""Soft hyphens and spaces of no width: editions have them in the middle of names."""

_UNPRINTABLE = {"Cc", "Cs"}


def decode_text(data: bytes | None, problems: ProblemList) -> str:
    """The text of a file, or "" and a problem."""
    if data is None:
        problems.add(0, "", "the file is missing")
        return ""
    if len(data) > FILE_LIMIT:
        problems.add(0, "", f"the file has {len(data):,} bytes; at most {FILE_LIMIT:,} are taken")
        return ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        problems.add(line, "", f"not UTF-8: byte 0x{data[wrong.start]:02X}; save the file as UTF-8")
        return ""
    if not text.strip():
        problems.add(0, "", "the file is empty")
        return ""
    return text


def normalize_name(text: object) -> str:
    """The name without invisible characters and with single blanks; "" for anything but text."""
    return " ".join(text.translate(_INVISIBLE).split()) if isinstance(text, str) else ""


def name_problem(name: str) -> str:
    """What is wrong with a name; "" when nothing is."""
    if not name:
        return "has no name"
    if len(name) > NAME_LIMIT:
        return f"has a name of {len(name):,} characters; at most {NAME_LIMIT} are taken"
    if not _UNPRINTABLE.isdisjoint(map(unicodedata.category, name)):
        return "has a name with characters that cannot be shown"
    return ""
