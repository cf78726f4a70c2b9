"""Optimistic locking: an edit names the version it was made from, so that no other change is lost."""

from typing import Protocol

from domain.errors import Conflict, thing_named


class HasVersion(Protocol):
    version: int


def check_version(row: HasVersion, version: int | None) -> None:
    """Raises Conflict when the locked row is not at `version` any more; None skips the check."""
    if version is not None and row.version != version:
        thing = thing_named(type(row).__name__)
        raise Conflict(
            "Somebody else changed this {thing} meanwhile; read it again.", thing=thing, field=("version",)
        )
