"""Commands that may be sent twice and must count once."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError, ErrorCode, Invalid
from domain.upsert import insert
from models import IdempotencyKey

KEY_LENGTH = 128


class KeyReused(DomainError):
    code = ErrorCode.KEY_REUSED

    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was already used for another request.", field=("idempotency_key",)
        )


async def claim(
    session: AsyncSession, *, account_id: int, command: str, key: str, content: Any, now: datetime
) -> int | None:
    """The id this key's first use produced, or None when this is the first use.

    A second use at the same moment waits in the INSERT until the first has committed or failed.
    """
    if not 1 <= len(key) <= KEY_LENGTH:
        raise Invalid(f"An idempotency key has 1 to {KEY_LENGTH} characters.", field=("idempotency_key",))
    content_hash = fingerprint(content)
    fresh = await session.scalar(
        insert(session, IdempotencyKey)
        .values(account_id=account_id, command=command, key=key, content_hash=content_hash, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if fresh is not None:
        return None
    row = (await session.scalars(select(IdempotencyKey).where(*same(account_id, command, key)))).one()
    if row.content_hash != content_hash:
        raise KeyReused
    return row.result_id


async def settle(session: AsyncSession, *, account_id: int, command: str, key: str, result_id: int) -> None:
    """Remember what the claimed key produced."""
    await session.execute(
        update(IdempotencyKey).where(*same(account_id, command, key)).values(result_id=result_id)
    )


def same(account_id: int, command: str, key: str) -> tuple[Any, ...]:
    return (
        IdempotencyKey.account_id == account_id,
        IdempotencyKey.command == command,
        IdempotencyKey.key == key,
    )


def fingerprint(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
