from dataclasses import dataclass

PROBLEM_LIMIT = 1_000
"""Problems told of one file; of the rest only the number is told."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file cannot be taken as it is; `line` is where the row starts, `column` the header as written."""

    file: str
    line: int
    column: str
    reason: str


class Problems:
    """Everything that was found in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []
        self.untold = 0

    def add(self, line: int, column: str, reason: str) -> None:
        if len(self.found) < PROBLEM_LIMIT:
            self.found.append(Problem(self.file, line, column, reason))
        else:
            self.untold += 1

    def told(self) -> tuple[Problem, ...]:
        told = sorted(self.found, key=lambda problem: problem.line)
        if self.untold:
            told.append(Problem(self.file, 0, "", f"... and {self.untold:,} more"))
        return tuple(told)
