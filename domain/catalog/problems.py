"""What is wrong with a file, by line and column."""

from collections.abc import Sequence
from dataclasses import dataclass

from text.messages import Fact, Message

PROBLEM_LIMIT = 1_000
"""Problems listed of one file; the rest is only counted."""

NOTE_LIMIT = 20
"""Notes of one kind listed of one file; the rest is only counted."""

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


@dataclass(slots=True)
class NoteCount:
    """How many notes of one kind a file has, and the first of them."""

    column: str
    reason: Message | str
    line: int
    times: int = 0


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


class NoteList(ProblemList):
    """The notes on one file: the first of each kind one by one, all of them counted."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.kinds: dict[tuple[str, str], NoteCount] = {}

    def add(self, line: int, column: str, reason: Message | str, *, about: str = "") -> None:
        """Add a note; those of the same column and template are of one kind, `about` tells further apart."""
        kind = column, f"{reason.template if isinstance(reason, Message) else reason}\0{about}"
        count = self.kinds.setdefault(kind, NoteCount(column, reason, line))
        count.times += 1
        if count.times <= NOTE_LIMIT:
            super().add(line, column, reason)
        elif len(self.found) < PROBLEM_LIMIT:
            self.more += 1

    def advise(self, line: int, reason: Message) -> None:
        """Add what would help; nothing was read otherwise than it is written, so it is not counted."""
        super().add(line, "", reason)

    def counts(self) -> tuple[NoteCount, ...]:
        """How often there was each kind of note, the most frequent first."""
        return tuple(sorted(self.kinds.values(), key=lambda count: (-count.times, count.line)))


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
