"""Operations of client applications that the operator registers and removes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound
from models import RegisteredOperation
from models.sql.batches import in_batches
from models.sql.upsert import upsert_into


@dataclass(frozen=True, slots=True)
class RegistrationDraft:
    """A valid operation to register; `sha256` is the hash of its text."""

    sha256: str
    name: str
    kind: str
    text: str


async def register_operations(
    session: AsyncSession, drafts: Sequence[RegistrationDraft], *, now: datetime
) -> int:
    """Register operations; return how many were not registered before. Those that were stay as they are."""
    added = 0
    for batch in in_batches(drafts):
        rows = [
            {
                "sha256": draft.sha256,
                "name": draft.name,
                "kind": draft.kind,
                "text": draft.text,
                "registered_at": now,
            }
            for draft in batch
        ]
        inserted = await session.scalars(
            upsert_into(session, RegisteredOperation)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(RegisteredOperation.sha256)
        )
        added += len(inserted.all())
    return added


async def remove_operations(session: AsyncSession, hashes: Collection[str]) -> None:
    """Remove all operations with these hashes; NotFound, and none is removed, when one is not registered."""
    for batch in in_batches(hashes):
        removed = await session.scalars(
            delete(RegisteredOperation)
            .where(RegisteredOperation.sha256.in_(batch))
            .returning(RegisteredOperation.sha256)
        )
        if {*batch} - {*removed}:
            raise NotFound("registered operation")
