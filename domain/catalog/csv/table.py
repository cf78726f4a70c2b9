"""The rows of a CSV file."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from domain.catalog.csv.columns import Column, ColumnKey, Header, parse_header
from domain.catalog.csv.encoding import decode_file
from domain.catalog.csv.spreadsheet import unmark_text
from domain.catalog.limits import OPTION_LIMIT
from domain.catalog.problems import NoteList, ProblemList, WrongText
from domain.errors import Invalid
from domain.incoming_text import normalize_incoming_text
from models.money import CurrencyCode
from text.messages import Message

SEPARATORS = ",;\t"
"""What may separate cells; the first of these that the header has does."""

CELL_LIMIT = 1024 * 1024
"""Characters of one cell."""

REQUIRED = (Column.HANDLE, Column.TITLE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row with its place in the file, and the lists its problems and notes are added to."""

    line: int
    cells: list[str]
    header: Header
    problems: ProblemList
    notes: NoteList

    def text(self, column: ColumnKey) -> str:
        """The text of a cell; "" where the file has no such column."""
        at = self.header.at.get(column)
        return "" if at is None else self.cells[at].strip()

    def read(self, column: ColumnKey, parse: Callable[[str], T], blank: T) -> T:
        """The parsed cell, `blank` where it is blank; a WrongText of `parse` becomes a problem."""
        text = self.text(column)
        if not text:
            return blank
        try:
            return parse(text)
        except WrongText as wrong:
            self.refuse(column, wrong.message)
            return blank

    def refuse(self, column: ColumnKey, reason: Message) -> None:
        self.problems.add(self.line, self.header.name(column), reason)

    def note(self, column: ColumnKey, reason: Message, *, about: str = "") -> None:
        self.notes.add(self.line, self.header.name(column), reason, about=about)

    def is_refused(self, column: ColumnKey) -> bool:
        """Whether its cell is a problem already, and was not read."""
        return self.problems.is_known(self.line, self.header.name(column))

    def has_value_in(self, places: Sequence[int]) -> bool:
        return any(map(str.strip, map(self.cells.__getitem__, places)))


def read_rows(
    data: bytes, problems: ProblemList, notes: NoteList, *, currency: CurrencyCode
) -> Iterator[CsvRow]:
    """The rows below the header; none when the file cannot be read at all."""
    text = decode_file(data, problems, notes)
    lines = _split_rows(text, problems)
    first = next(lines, None)
    if first is None:
        if not problems.found:
            problems.add(1, "", Message("the file is empty"))
        return
    header = _read_header(*first, problems, currency=currency)
    if header is None:
        return
    typos = dict(header.likely_typos)
    for line, cells in lines:
        row = _read_row(line, cells, header, problems, notes)
        if row is None:
            continue
        for name in [name for name in typos if row.has_value_in([header.unknown[name]])]:
            notes.add(
                line,
                name,
                Message('kept, but no column the shop knows: is "{known}" meant?', known=typos.pop(name)),
            )
        yield row


def _split_rows(text: str, problems: ProblemList) -> Iterator[tuple[int, list[str]]]:
    """The cells of every row that is not blank, with the line it starts on."""
    csv.field_size_limit(CELL_LIMIT)
    header = text.lstrip().partition("\n")[0]
    separator = next((each for each in SEPARATORS if each in header), SEPARATORS[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            problems.add(line, "", Message("not CSV from here on: {problem}", problem=str(wrong)))
            return
        if any(map(str.strip, cells)):
            yield line, cells


def _read_header(
    line: int, names: list[str], problems: ProblemList, *, currency: CurrencyCode
) -> Header | None:
    header = parse_header(normalize_cells(line, names, names, problems), currency)
    for column in REQUIRED:
        if column not in header.at:
            problems.add(line, column.value, Message('the header has no column "{column}"', column=column))
    for name in header.repeated:
        problems.add(line, name, Message("the header has this column twice"))
    return None if problems.found else header


def _read_row(
    line: int, cells: list[str], header: Header, problems: ProblemList, notes: NoteList
) -> CsvRow | None:
    missing = len(header.names) - len(cells)
    if missing < 0:
        problems.add(
            line,
            "",
            Message(
                "{count} cells under a header of {expected}", count=len(cells), expected=len(header.names)
            ),
        )
        return None
    cells.extend([""] * missing)
    normal = normalize_cells(line, header.names, cells, problems)
    for at in header.at.values():
        normal[at] = unmark_text(normal[at].strip())
    row = CsvRow(line, normal, header, problems, notes)
    if row.has_value_in(header.nameless):
        problems.add(line, "", Message("a value in a column whose header is blank"))
    if row.has_value_in(header.beyond):
        problems.add(
            line,
            header.names[header.beyond[0]],
            Message("a product has at most {count} options", count=OPTION_LIMIT),
        )
    return row


def normalize_cells(
    line: int, columns: Sequence[str], cells: Sequence[str], problems: ProblemList
) -> list[str]:
    """The cells in their one spelling; a cell with characters that are not taken is a problem."""
    normal = []
    for column, cell in zip(columns, cells, strict=True):
        try:
            normal.append(normalize_incoming_text(cell))
        except Invalid as refused:
            problems.add(line, column, refused.message)
            normal.append("")
    return normal
