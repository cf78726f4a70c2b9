"""What every file of the taxonomy has to be: text, with names that can be shown."""

import unicodedata

from domain.catalog.interchange import FILE_LIMIT, NAME_LIMIT
from domain.catalog.interchange.problems import Problems

_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
"""Where a line may break: editions have them in the middle of names."""

_NOTHING_TO_SHOW = {"Cc", "Cs"}


def decoded(data: bytes | None, problems: Problems) -> str:
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


def name_of(text: object) -> str:
    """A name without what cannot be seen, and with plain blanks; "" for what is no text."""
    return " ".join(text.translate(_UNSEEN).split()) if isinstance(text, str) else ""


def wrong_name(name: str) -> str:
    """Why this cannot be a name; "" when it can."""
    if not name:
        return "has no name"
    if len(name) > NAME_LIMIT:
        return f"has a name of {len(name):,} characters; at most {NAME_LIMIT} are taken"
    if not _NOTHING_TO_SHOW.isdisjoint(map(unicodedata.category, name)):
        return "has a name with characters that cannot be shown"
    return ""
