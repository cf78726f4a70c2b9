"""What has changed between two versions of a text, for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

LINES_LIMIT = 2_000
"""Changed lines that are compared one by one; of more, all are old and all are new."""


class TextChangeKind(StrEnum):
    """What became of some lines."""

    SAME = "SAME"
    """Both versions have them."""
    REMOVED = "REMOVED"
    """Only the earlier version has them."""
    ADDED = "ADDED"
    """Only the later version has them."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """Lines that stand next to each other, and what became of them."""

    kind: TextChangeKind
    text: str


def compare_texts(before: str, after: str) -> list[TextChange]:
    """The lines of two texts in their order: what was removed, then what came in its place."""
    old, new = before.splitlines(), after.splitlines()
    start = count_same(old, new)
    end = count_same(old[start:][::-1], new[start:][::-1])
    middle = compare_lines(old[start : len(old) - end], new[start : len(new) - end])
    head = [(TextChangeKind.SAME, old[:start])]
    tail = [(TextChangeKind.SAME, old[len(old) - end :])]
    return [TextChange(kind, "\n".join(lines)) for kind, lines in (*head, *middle, *tail) if lines]


def count_same(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines at the beginning are the same."""
    for place, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other:
            return place
    return min(len(old), len(new))


def compare_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[TextChangeKind, Sequence[str]]]:
    if max(len(old), len(new)) > LINES_LIMIT:
        yield TextChangeKind.REMOVED, old
        yield TextChangeKind.ADDED, new
        return
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield TextChangeKind.SAME, old[old_start:old_end]
            continue
        yield TextChangeKind.REMOVED, old[old_start:old_end]
        yield TextChangeKind.ADDED, new[new_start:new_end]
