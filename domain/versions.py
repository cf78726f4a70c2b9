"""Edits say what they have read, so that nobody's change is lost."""

from typing import Protocol

from domain.errors import Conflict


class HasVersion(Protocol):
    version: int


def expect(row: HasVersion, version: int | None) -> None:
    """Conflict when somebody has changed the row, which is locked, since `version`; None does not ask."""
    if version is not None and row.version != version:
        thing = type(row).__name__.lower()
        raise Conflict(f"Somebody else changed this {thing} meanwhile; read it again.", field=("version",))
