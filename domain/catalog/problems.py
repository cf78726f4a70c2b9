"""What is wrong with a file, by line and column."""

from collections.abc import Sequence
from dataclasses import dataclass

from text.messages import Fact, Message

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
    reason: Message | str
    """A plain text where only people at a terminal read it."""


class ProblemList:
    """The problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[FileProblem] = []
        self.more = 0

    def add(self, line: int, column: str, reason: Message | str) -> None:
        if len(self.found) < PROBLEM_LIMIT:
            self.found.append(FileProblem(self.file, line, column, reason))
        else:
            self.more += 1

    def is_known(self, line: int, column: str) -> bool:
        return any(problem.line == line and problem.column == column for problem in self.found)

    def in_order(self) -> tuple[FileProblem, ...]:
        """The problems by line; a last one counts those beyond PROBLEM_LIMIT."""
        problems = sorted(self.found, key=lambda problem: problem.line)
        if self.more:
            problems.append(FileProblem(self.file, 0, "", Message("... and {more} more", more=self.more)))
        return tuple(problems)


def quote_value(text: str) -> str:
    """`text` in quotation marks, cut to QUOTE_LIMIT characters."""
    return f'"{text[:QUOTE_LIMIT]}..."' if len(text) > QUOTE_LIMIT else f'"{text}"'


def list_names(names: Sequence[str]) -> Message | str:
    """The first LISTED_LIMIT names, and the number of further ones."""
    first = ", ".join(names[:LISTED_LIMIT])
    if len(names) <= LISTED_LIMIT:
        return first
    return Message("{names} and {more} more", names=first, more=len(names) - LISTED_LIMIT)


class WrongText(ValueError):
    """A text cannot be taken; `message` says what is wrong with it."""

    def __init__(self, template: str, /, *, plural: str = "", **facts: Fact) -> None:
        self.message = Message(template, plural=plural, **facts)
        super().__init__(self.message)
