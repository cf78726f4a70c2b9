"""What a product can be chosen by, as one short text: that of thousands is read at once, and counted."""

from collections import Counter
from collections.abc import Iterable

BETWEEN = "\x1f"
"""Stands between two choices; no text of a product holds it."""

Choice = tuple[int, str]
"""The id of an attribute, and what a product says of it."""


def written(choices: Iterable[Choice]) -> str:
    return BETWEEN.join(f"{attribute_id}:{said}" for attribute_id, said in choices)


def counted(texts: Iterable[str]) -> Counter[str]:
    """How often each choice stands in texts, which may be those of many products joined."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(text.split(BETWEEN))
    found.pop("", None)
    return found


def most_frequent(found: Counter[str], limit: int) -> list[tuple[int, str, int]]:
    """The attribute, what is said of it, and how often: the same ones whatever order the texts had."""
    least = sorted(found.values(), reverse=True)[:limit][-1:]
    frequent = [(*read(choice), count) for choice, count in found.items() if count >= least[0]]
    return sorted(frequent, key=_place)[:limit]


def read(choice: str) -> Choice:
    attribute_id, _, said = choice.partition(":")
    return int(attribute_id), said


def _place(each: tuple[int, str, int]) -> tuple[int, int, int, str]:
    attribute_id, said, count = each
    return (-count, attribute_id, int(said) if said.isdecimal() else 0, said)
