"""Mapping files: which columns of a file of any other software are which columns of the shop's format."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain.catalog.csv.columns import OPTION_NAMES, OPTION_VALUES, Column, known_column, normalize_name
from domain.catalog.csv.formats import ConvertedFile, FileRow
from domain.catalog.problems import WrongText, quote_value
from domain.catalog.slugs import slug_of
from models.money import CurrencyCode

KEYS = frozenset(
    {"columns", "handle", "header_line", "first_line", "separator", "defaults", "values", "product_rows"}
)

NO_SEPARATORS = '"\r\n'
"""What ends or quotes cells."""

LINES_LIMIT = 1_000
"""Lines of a file among which the header and the first product stand."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How the columns of a file are read."""

    columns: Mapping[str, str]
    """Column of the file -> column of the shop's format."""
    currency: CurrencyCode
    """The currency of the plain prices."""
    handle: Sequence[str] = ()
    """Columns of the file; the first that is not blank names the product of a row."""
    header_line: int = 1
    first_line: int = 0
    """The line of the first product; 0 for the one after the header."""
    separator: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Column of the shop's format -> its value in rows that have none."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column of the shop's format -> value of the file -> value that is meant."""
    product_rows: Mapping[str, str] = field(default_factory=dict)
    """Column of the file -> the value by which a row describes a product and no variant."""

    def convert(self, names: Sequence[str], rows: Iterable[FileRow]) -> ConvertedFile:
        """The file with the columns of the shop's format; columns that are not named are kept."""
        missing = [name for name in self._named_columns() if name not in names]
        if missing:
            raise WrongText("the file has no column {names}", names=", ".join(map(quote_value, missing)))
        places = self._place_columns(names)
        added = [name for name in self.defaults if name not in places]
        columns = [*places, *added]
        if Column.HANDLE not in places:
            columns.insert(0, Column.HANDLE)
        headers = [
            names[places[column]] if column in places else self._handle_header(column) for column in columns
        ]
        return ConvertedFile("column map", columns, headers, self._convert_rows(columns, places, names, rows))

    def _place_columns(self, names: Sequence[str]) -> dict[str, int]:
        """The columns of the shop's format by their places; one that two columns are meant by is refused.

        Of several columns without a name the rows say whether there is anything in them.
        """
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            if name in self.product_rows:
                continue
            column = self.columns.get(name) or known_column(name, self.currency) or name
            first = places.setdefault(column, place)
            if column.strip() and first != place:
                raise WrongText(
                    "{first} and {second} are both read as {column}",
                    first=quote_value(names[first]),
                    second=quote_value(name),
                    column=quote_value(column),
                )
        return places

    def _named_columns(self) -> list[str]:
        return list(dict.fromkeys([*self.columns, *self.handle, *self.product_rows]))

    def _handle_header(self, column: str) -> str:
        return " or ".join(self.handle) if column == Column.HANDLE and self.handle else column

    def _convert_rows(
        self, columns: Sequence[str], places: Mapping[str, int], names: Sequence[str], rows: Iterable[FileRow]
    ) -> Iterator[FileRow]:
        width = len(names)
        nameless = [place for place, name in enumerate(names) if not name.strip()]
        at = {name: place for place, name in enumerate(names)}
        for line, cells in rows:
            if line < self.first_line:
                continue
            padded = [*cells, *[""] * (width - len(cells))]
            if len(padded) > width:
                yield line, [*padded, *[""] * len(columns)]  # refused with the number of its cells
                continue
            found = {column: padded[place].strip() for column, place in places.items()}
            if nameless:
                found[names[nameless[0]]] = "".join(padded[place].strip() for place in nameless)
            found = {column: self.values.get(column, {}).get(text, text) for column, text in found.items()}
            self._fill_blanks(found)
            if any(padded[at[name]].strip() == value for name, value in self.product_rows.items()):
                found = {column: "" if is_of_variant(column) else text for column, text in found.items()}
            if not found.get(Column.HANDLE):
                named = [padded[at[name]].strip() for name in self.handle]
                first = next(filter(None, named), "") or found.get(Column.TITLE, "")
                found[Column.HANDLE] = slug_of(first)
            yield line, [found.get(column, "") for column in columns]

    def _fill_blanks(self, found: dict[str, str]) -> None:
        """Fill in the defaults; a row without a value of an option does not get its name, either."""
        blank = {column for column in self.defaults if not found.get(column)}
        found |= {column: self.defaults[column] for column in blank}
        for name, value in zip(OPTION_NAMES, OPTION_VALUES, strict=True):
            if name in blank and not found.get(value):
                found[name] = ""


def is_of_variant(column: str) -> bool:
    """Whether a row with a value in this column is one of a variant."""
    name = normalize_name(column)
    return name.startswith(("variant ", "price", "compare at price", "inventory")) or (
        name.startswith("option") and name.endswith("value")
    )


def read_column_map(text: str, currency: CurrencyCode) -> ColumnMap:
    """The mapping that a TOML file describes; WrongText says what is wrong with it."""
    try:
        found = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as wrong:
        raise WrongText("not TOML: {problem}", problem=str(wrong)) from None
    except RecursionError:
        raise WrongText("nested too deeply") from None
    for key in found.keys() - KEYS:
        raise WrongText("{key} is none of {names}", key=quote_value(key), names=", ".join(sorted(KEYS)))
    columns = _text_table(found.get("columns"), "columns")
    values = found.get("values", {})
    if not isinstance(values, dict):
        raise WrongText("{key} is a table of tables", key="values")
    defaults = _text_table(found.get("defaults", {}), "defaults")
    named = [*columns.values(), *defaults, *values]
    known = {column: known_column(column, currency) for column in named}
    for column in named:
        if not known[column]:
            raise WrongText("{column} is no column the shop knows", column=quote_value(column))
    handle = found.get("handle", [])
    lines = [found.get("header_line", 1), found.get("first_line", 0)]
    if not isinstance(handle, list) or not all(isinstance(name, str) for name in handle):
        raise WrongText("{key} is a list of columns", key="handle")
    if not all(type(line) is int and line >= 0 for line in lines) or not lines[0]:
        raise WrongText("lines are counted from 1")
    if max(lines) > LINES_LIMIT:
        raise WrongText(
            "the header and the first product stand in the first {limit} lines", limit=LINES_LIMIT
        )
    if 0 < lines[1] <= lines[0]:
        raise WrongText("the first product stands after the header")
    separator = found.get("separator", "")
    if not isinstance(separator, str) or len(separator) > 1:
        raise WrongText("{key} is one character", key="separator")
    if separator and separator in NO_SEPARATORS:
        raise WrongText("{key} ends or quotes cells: it separates none", key="separator")
    return ColumnMap(
        {name: known[column] for name, column in columns.items()},
        currency,
        handle,
        header_line=lines[0],
        first_line=lines[1],
        separator=separator,
        defaults={known[column]: text for column, text in defaults.items()},
        values={known[column]: _text_table(table, column) for column, table in values.items()},
        product_rows=_text_table(found.get("product_rows", {}), "product_rows"),
    )


def _text_table(table: object, key: str) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise WrongText("{key} is a table of texts", key=quote_value(key))
    return table
