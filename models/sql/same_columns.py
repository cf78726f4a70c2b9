"""Rows that are written together although different columns of them have changed."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm.attributes import flag_modified

from models.base import Base


def write_same_columns(rows: Iterable[Base], names: Sequence[str]) -> None:
    """Let the next flush write these columns of every row: rows of which the same columns are written share
    one statement."""
    for row in rows:
        for name in names:
            flag_modified(row, name)
