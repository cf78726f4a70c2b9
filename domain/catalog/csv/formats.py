"""Files of other software as rows of the shop's own format."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FileRow = tuple[int, list[str]]
"""The line a row starts on, and its cells."""


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """A file with the columns of the shop's own format."""

    format: str
    """What the format is called."""
    columns: Sequence[str]
    """The names of the columns in the shop's format."""
    headers: Sequence[str]
    """The columns of the file that each of them comes from, as the file writes them."""
    rows: Iterable[FileRow]
