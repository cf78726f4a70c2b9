"""What is kept of a carrier's own answer: its codes and states, and nothing of people."""

import json
import re
from collections.abc import Collection

BODY_LIMIT = 2_000
"""Characters kept of an answer."""
ITEMS_LIMIT = 20
"""Entries kept of each list or object in it."""
DEPTH_LIMIT = 6
INSTEAD = "…"

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
PLAIN_NAME = re.compile(r"(code|status|state|result|success|type|count|time|date)$", re.IGNORECASE)
"""Whose values are codes of the carrier."""
PERSONAL_NAME = re.compile(r"post|zip|phone|mobile|tel|name|person|contact|addr", re.IGNORECASE)
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.:+ -]{0,32}")
MANY_DIGITS = re.compile(r"(?:\d[ -]?){7,}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d.*")

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


def redact_answer(body: bytes, known: Collection[str]) -> str | None:
    """An answer of which only codes, states, counts and times are left; None for what is no object.

    What is known of the people of a parcel is left out wherever it stands.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    kept = json.dumps(redact_value("", content, known, DEPTH_LIMIT), ensure_ascii=False)
    return kept if len(kept) <= BODY_LIMIT else kept[: BODY_LIMIT - 1] + INSTEAD


def redact_value(name: str, value: object, known: Collection[str], depth: int) -> Json:
    """A value of this name as it may be kept."""
    if isinstance(value, dict | list) and depth == 0:
        return INSTEAD
    if isinstance(value, dict):
        named = [(key, each) for key, each in value.items() if NAME.fullmatch(key)][:ITEMS_LIMIT]
        return {key: redact_value(key, each, known, depth - 1) for key, each in named}
    if isinstance(value, list):
        return [redact_value(name, each, known, depth - 1) for each in value[:ITEMS_LIMIT]]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.startswith("{"):
        try:
            return redact_value(name, json.loads(value), known, depth)
        except (ValueError, RecursionError):
            return INSTEAD
    return value if is_plain(name, value, known) and isinstance(value, str | int | float) else INSTEAD


def is_plain(name: str, value: object, known: Collection[str]) -> bool:
    """Whether a value is a code, a state, a count or a time of the carrier's."""
    if not PLAIN_NAME.search(name) or PERSONAL_NAME.search(name):
        return False
    text = str(value)
    if not PLAIN_VALUE.fullmatch(text) or text in known:
        return False
    return bool(MOMENT.fullmatch(text)) or not MANY_DIGITS.search(text)


def withhold_known(text: str, known: Collection[str]) -> str:
    """A text without what is known of people, the longest first."""
    for each in sorted(known, key=len, reverse=True):
        text = text.replace(each, INSTEAD)
    return text
