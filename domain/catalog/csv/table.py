"""The rows of a CSV file."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from domain.catalog.csv.column_map import ColumnMap
from domain.catalog.csv.columns import Column, ColumnKey, Header, parse_header
from domain.catalog.csv.encoding import archive_kind, decode_file, spreadsheet_kinds
from domain.catalog.csv.formats import ConvertedFile, FileRow
from domain.catalog.csv.spreadsheet import unmark_text
from domain.catalog.csv.woocommerce import WOOCOMMERCE, WooCommerceReader, is_woocommerce
from domain.catalog.limits import COLUMN_LIMIT, OPTION_LIMIT
from domain.catalog.problems import NoteList, ProblemList, WrongText
from domain.errors import Invalid
from domain.incoming_text import normalize_incoming_text
from models.money import CurrencyCode
from text.messages import Alternatives, Message

SEPARATORS = ",;\t"
"""What may separate cells; the first of these that the header has does."""

CELL_LIMIT = 1024 * 1024
"""Characters of one cell."""

OTHER_HEADER_LINES = 50
"""Rows below the first among which the header is looked for where the first names no products."""

_SEPARATOR_LINE = re.compile(r"\s*sep=([^\w\s\"]|\t)[^\S\r\n]*(?:\r\n|\r|\n)", re.IGNORECASE)
"""What Excel takes for the separator of the file, above the header."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

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


@dataclass(frozen=True, slots=True)
class ProductTable:
    """The header of a file and the rows below it."""

    format: str
    """What the format of the file is called."""
    header: Header
    rows: Iterator[CsvRow]


def read_table(
    data: bytes,
    problems: ProblemList,
    notes: NoteList,
    *,
    currency: CurrencyCode,
    column_map: ColumnMap | None = None,
    complete: bool = True,
) -> ProductTable | None:
    """The file as a table of the shop's format; None, and a problem, when it cannot be read at all.

    One whose header lacks columns is read only where it need not be `complete`.
    """
    if kind := archive_kind(data):
        problems.add(1, "", Message("this is an archive ({kind}): unpack it first", kind=kind))
        return None
    if kinds := spreadsheet_kinds(data):
        reason = Message("this is a spreadsheet ({kind}): save it as CSV UTF-8", kind=Alternatives(kinds))
        problems.add(1, "", reason)
        return None
    text = decode_file(data, problems, notes)
    header_line = column_map.header_line if column_map else 1
    lines = _split_rows(text, problems, header_line, column_map.separator if column_map else "")
    first = next((each for each in lines if each[0] >= header_line), None)
    if first is None:
        if not problems.found:
            is_short = header_line > 1 and text.strip()
            reason = Message("the file has no line {line}", line=header_line)
            problems.add(1, "", reason if is_short else Message("the file is empty"))
        return None
    if len(first[1]) > COLUMN_LIMIT:
        problems.add(first[0], "", Message("more than {limit} columns", limit=COLUMN_LIMIT))
        return None
    try:
        converted = _convert_file(*first, lines, problems, notes, column_map)
    except WrongText as wrong:
        problems.add(first[0], "", wrong.message)
        return None
    known = len(problems.found)
    header = _read_header(first[0], converted, problems, currency=currency)
    if len(problems.found) > known and complete:
        if column_map is None and not header.at.keys() >= set(REQUIRED):
            _note_other_header(lines, notes, currency)
        return None
    typos = {} if converted.format == WOOCOMMERCE else dict(header.likely_typos)
    return ProductTable(converted.format, header, _read_rows(converted.rows, header, typos, problems, notes))


def _convert_file(
    line: int,
    names: list[str],
    rows: Iterator[FileRow],
    problems: ProblemList,
    notes: NoteList,
    column_map: ColumnMap | None,
) -> ConvertedFile:
    """The file with the columns of the shop's format; one that is in no other format as it is."""
    names = normalize_cells(line, names, names, problems)
    if column_map is not None:
        return column_map.convert(names, rows)
    if is_woocommerce(names):
        return WooCommerceReader(names, problems, notes).convert(rows)
    return ConvertedFile("Shopify", names, names, rows)


def _note_other_header(rows: Iterator[FileRow], notes: NoteList, currency: CurrencyCode) -> None:
    """A note on the row that looks like the header, or on how other files are read."""
    for line, names in islice(rows, OTHER_HEADER_LINES):
        if parse_header(names, currency).at.keys() >= set(REQUIRED):
            notes.advise(line, Message("this line looks like the header: delete those above it"))
            return
    notes.advise(1, Message("what the columns of other software mean is said in a mapping file (--columns)"))


def _read_rows(
    rows: Iterable[FileRow],
    header: Header,
    typos: dict[str, str],
    problems: ProblemList,
    notes: NoteList,
) -> Iterator[CsvRow]:
    for line, cells in rows:
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


def _lines_of(text: str, start: int = 0) -> Iterator[str]:
    """The lines with their ends, one by one: a copy of a large file takes much memory."""
    return (match[0] for match in _LINE.finditer(text, start))


def _split_rows(text: str, problems: ProblemList, header_line: int, separator: str) -> Iterator[FileRow]:
    """The cells of every row that is not blank, with the line it starts on."""
    csv.field_size_limit(CELL_LIMIT)
    separator_line = _SEPARATOR_LINE.match(text) if header_line == 1 and not separator else None
    start = len(text) - len(text.lstrip()) if header_line == 1 else 0
    if separator_line:
        start, separator = separator_line.end(), separator_line[1]
    header = next(islice(_lines_of(text, start), header_line - 1, None), "")
    separator = separator or next((each for each in SEPARATORS if each in header), SEPARATORS[0])
    reader = csv.reader(_lines_of(text), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            problems.add(line, "", Message("not CSV from here on: {problem}", problem=str(wrong)))
            return
        if separator_line:
            separator_line = None if any(map(str.strip, cells)) else separator_line
        elif any(map(str.strip, cells)):
            yield line, cells


def _read_header(line: int, file: ConvertedFile, problems: ProblemList, *, currency: CurrencyCode) -> Header:
    header = parse_header(file.columns, currency)
    for column in REQUIRED:
        if column not in header.at:
            problems.add(line, column.value, Message('the header has no column "{column}"', column=column))
    for name in header.repeated:
        problems.add(line, name, Message("the header has this column twice"))
    return replace(header, names=file.headers)


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
