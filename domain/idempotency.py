"""Commands that may be sent twice and must count once."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable

from domain.bulk import Bulk, columns_of, table_of
from domain.errors import DomainError, ErrorCode, Invalid
from domain.upsert import insert, upsert
from models import IdempotencyKey

KEY_LENGTH = 128


class KeyReused(DomainError):
    code = ErrorCode.KEY_REUSED

    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was already used for another request.", field=("idempotency_key",)
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A key somebody sends, and what the thing it makes will be called: known before it is made."""

    account_id: int
    command: str
    key: str
    content_hash: str
    reference: str
    created_at: datetime


def claim_of(
    content: Any, *, account_id: int, command: str, key: str, reference: str, now: datetime
) -> Claim:
    return Claim(account_id, command, checked(key), fingerprint(content), reference, now)


async def claim_all(session: AsyncSession, claims: Sequence[Claim]) -> list[str | KeyReused | None]:
    """For each claim what its key's first use is called, or a refusal, or None when this is the first use.

    One statement, one more when a key is not new. All are of one command and of different accounts. A second
    use at the same moment waits until the first has committed or failed.
    """
    fresh = {tuple(row) for row in await CLAIM.run(session, claims=[asdict(claim) for claim in claims])}
    old = [claim for claim in claims if (claim.account_id, claim.key) not in fresh]
    known = await _known(session, old) if old else {}
    return [_said(claim, known.get((claim.account_id, claim.key))) for claim in claims]


async def look_up(session: AsyncSession, claims: Sequence[Claim]) -> list[str | KeyReused | None]:
    """What each claim would get, without making it. All are of one command."""
    known = await _known(session, claims)
    return [_said(claim, known.get((claim.account_id, claim.key))) for claim in claims]


async def drop_all(session: AsyncSession, claims: Collection[Claim]) -> None:
    """Forget keys of which nothing came: they may be used again."""
    await session.execute(
        delete(IdempotencyKey).where(
            KEY.in_([(claim.account_id, claim.command, claim.key) for claim in claims])
        )
    )


async def _known(session: AsyncSession, claims: Sequence[Claim]) -> Mapping[tuple[int, str], IdempotencyKey]:
    rows = await session.scalars(
        select(IdempotencyKey)
        .where(KEY.in_([(claim.account_id, claim.command, claim.key) for claim in claims]))
        .execution_options(populate_existing=True)
    )
    return {(row.account_id, row.key): row for row in rows}


def _said(claim: Claim, known: IdempotencyKey | None) -> str | KeyReused | None:
    if known is None:
        return None
    return known.reference if known.content_hash == claim.content_hash else KeyReused()


def _claim(dialect: str) -> list[Executable]:
    """In sorted order, so that no two transactions wait for each other."""
    given = table_of(dialect, "claims", columns_of(IdempotencyKey, without=["result_id"]))
    rows = select(*given.c).order_by(given.c.account_id, given.c.key)
    return [
        upsert(dialect, IdempotencyKey)
        .from_select([each.name for each in given.c], rows)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.account_id, IdempotencyKey.key)
    ]


CLAIM = Bulk("claiming", _claim)
KEY = tuple_(IdempotencyKey.account_id, IdempotencyKey.command, IdempotencyKey.key)


async def claim(
    session: AsyncSession, *, account_id: int, command: str, key: str, content: Any, now: datetime
) -> int | None:
    """The id this key's first use produced, or None when this is the first use.

    A second use at the same moment waits in the INSERT until the first has committed or failed.
    """
    content_hash = fingerprint(content)
    fresh = await session.scalar(
        insert(session, IdempotencyKey)
        .values(
            account_id=account_id,
            command=command,
            key=checked(key),
            content_hash=content_hash,
            created_at=now,
        )
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


def checked(key: str) -> str:
    if not 1 <= len(key) <= KEY_LENGTH:
        raise Invalid(f"An idempotency key has 1 to {KEY_LENGTH} characters.", field=("idempotency_key",))
    return key


def fingerprint(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
