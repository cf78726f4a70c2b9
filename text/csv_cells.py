"""Cells of CSV files that spreadsheets open."""

import csv
from collections.abc import Iterable
from io import StringIO

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What spreadsheets take for the beginning of a formula."""


def write_csv(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A file with the names of its columns in the first line; no text of it is taken for a formula."""
    lines = StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(columns)
    writer.writerows([guard_cell(cell) for cell in row] for row in rows)
    return lines.getvalue()


def guard_cell(text: str) -> str:
    """A text, after an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
