"""What would be read as what, without a shop."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.catalog.csv.column_map import ColumnMap
from domain.catalog.csv.columns import Header, name_of_column
from domain.catalog.csv.reading import ParsedFile, read_products
from domain.catalog.csv.table import read_table
from domain.catalog.problems import NoteList, ProblemList
from models.money import CurrencyCode


@dataclass(frozen=True, slots=True)
class ColumnExplanation:
    """One column of a file."""

    header: str
    """As the file writes it."""
    read_as: str
    """The column of the shop's format; "" where it is kept as it is."""
    example: str
    """The first value that is not blank, as it is read."""


@dataclass(frozen=True, slots=True)
class FileExplanation:
    """How a file would be read."""

    parsed: ParsedFile
    columns: Sequence[ColumnExplanation]
    """Empty where the file cannot be read at all."""


def explain_file(
    data: bytes, *, file: str, currency: CurrencyCode, column_map: ColumnMap | None = None
) -> FileExplanation:
    """How a file would be read, and everything that is wrong with it; no shop is asked."""
    parsed = read_products(data, file=file, currency=currency, column_map=column_map)
    table = read_table(
        data, ProblemList(file), NoteList(file), currency=currency, column_map=column_map, complete=False
    )
    if table is None:
        return FileExplanation(parsed, ())
    examples: dict[int, str] = {}
    width = len(table.header.names)
    for row in table.rows:
        examples = {at: text for at, text in enumerate(row.cells) if text.strip()} | examples
        if len(examples) == width:
            break
    return FileExplanation(parsed, list(_explain_columns(table.header, examples)))


def _explain_columns(header: Header, examples: dict[int, str]) -> list[ColumnExplanation]:
    read_as = {at: name_of_column(column) for column, at in header.at.items()}
    return [
        ColumnExplanation(name, read_as.get(at, ""), examples.get(at, ""))
        for at, name in enumerate(header.names)
    ]
