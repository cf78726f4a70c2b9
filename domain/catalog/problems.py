"""What is wrong with a file, by line and column."""

from collections.abc import Sequence
from dataclasses import dataclass

PROBLEM_LIMIT = 1_000
"""Problems listed of one file; the rest is only counted."""

QUOTE_LIMIT = 40
LISTED_LIMIT = 10
"""Names listed in a problem; further ones are counted."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why a file is not taken; `line` is where the row starts, `column` the header as the file writes it."""

    file: str
    line: int
    column: str
    reason: str


class ProblemList:
    """The problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[FileProblem] = []
        self.more = 0

    def add(self, line: int, column: str, reason: str) -> None:
        if len(self.found) < PROBLEM_LIMIT:
            self.found.append(FileProblem(self.file, line, column, reason))
        else:
            self.more += 1

    def in_order(self) -> tuple[FileProblem, ...]:
        """The problems by line; a last one counts those beyond PROBLEM_LIMIT."""
        problems = sorted(self.found, key=lambda problem: problem.line)
        if self.more:
            problems.append(FileProblem(self.file, 0, "", f"... and {self.more:,} more"))
        return tuple(problems)


def quote_value(text: str) -> str:
    """`text` in quotation marks, cut to QUOTE_LIMIT characters."""
    return f'"{text[:QUOTE_LIMIT]}..."' if len(text) > QUOTE_LIMIT else f'"{text}"'


def list_names(names: Sequence[str]) -> str:
    """The first LISTED_LIMIT names, and the number of further ones."""
    more = f" and {len(names) - LISTED_LIMIT:,} more" if len(names) > LISTED_LIMIT else ""
    return f"{', '.join(names[:LISTED_LIMIT])}{more}"
