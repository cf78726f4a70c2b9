"""The rows of a CSV file, and what makes a file unreadable."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from domain.catalog.interchange.columns import Column, Heading, Known, read_heading
from domain.catalog.interchange.encoding import decoded
from domain.catalog.interchange.problems import Problems
from domain.visible import visible
from models.money import CurrencyCode

SEPARATORS = ",;\t"
"""What may stand between cells, as the header tells: a comma, else what other spreadsheets write."""

CELL_LIMIT = 1024 * 1024
"""Characters of one cell."""

REQUIRED = (Column.HANDLE, Column.TITLE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, which knows its place in the file and where to complain."""

    line: int
    cells: list[str]
    heading: Heading
    problems: Problems

    def text(self, column: Known) -> str:
        at = self.heading.at.get(column)
        return "" if at is None else visible(self.cells[at])

    def read(self, column: Known, parse: Callable[[str], T], blank: T) -> T:
        """What `parse` makes of a cell; its ValueError becomes a problem, and the cell counts as blank."""
        text = self.text(column)
        if not text:
            return blank
        try:
            return parse(text)
        except ValueError as wrong:
            self.refuse(column, str(wrong))
            return blank

    def refuse(self, column: Known, reason: str) -> None:
        self.problems.add(self.line, self.heading.name(column), reason)

    def any_of(self, places: Sequence[int]) -> bool:
        return any(map(str.strip, map(self.cells.__getitem__, places)))


def read_rows(data: bytes, problems: Problems, notes: Problems, *, currency: CurrencyCode) -> Iterator[Row]:
    """The rows below the header; nothing when the file cannot be read at all."""
    text = decoded(data, problems, notes)
    lines = _split(text, problems)
    first = next(lines, None)
    if first is None:
        if not problems.found:
            problems.add(1, "", "the file is empty")
        return
    heading = _heading(*first, problems, currency=currency)
    if heading is None:
        return
    doubtful = dict(heading.doubtful)
    for line, cells in lines:
        row = _row(line, cells, heading, problems)
        if row is None:
            continue
        for name in [name for name in doubtful if row.any_of([heading.unknown[name]])]:
            notes.add(line, name, f'kept, but no column the shop knows: is "{doubtful.pop(name)}" meant?')
        yield row


def _split(text: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Cells of every row that is not blank, with the line it starts on."""
    csv.field_size_limit(CELL_LIMIT)
    header = text.lstrip().partition("\n")[0]
    separator = next((sign for sign in SEPARATORS if sign in header), SEPARATORS[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            problems.add(line, "", f"not CSV from here on: {wrong}")
            return
        if any(map(str.strip, cells)):
            yield line, cells


def _heading(line: int, names: list[str], problems: Problems, *, currency: CurrencyCode) -> Heading | None:
    heading = read_heading(names, currency)
    for column in REQUIRED:
        if column not in heading.at:
            problems.add(line, column.value, f'the header has no column "{column}"')
    for name in heading.twice:
        problems.add(line, name, "the header has this column twice")
    return None if problems.found else heading


def _row(line: int, cells: list[str], heading: Heading, problems: Problems) -> Row | None:
    missing = len(heading.names) - len(cells)
    if missing < 0:
        problems.add(line, "", f"{len(cells)} cells under a header of {len(heading.names)}")
        return None
    cells.extend([""] * missing)
    row = Row(line, cells, heading, problems)
    if row.any_of(heading.nameless):
        problems.add(line, "", "a value in a column whose header is blank")
    if row.any_of(heading.beyond):
        problems.add(line, heading.names[heading.beyond[0]], "a product has at most 3 options")
    return row
