"""Idempotency keys: a command that is sent twice counts once."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, Invalid
from models import IdempotencyKey
from models.sql.bulk import BulkStatement
from models.sql.dialects import column_types
from models.sql.parameters import bound_table
from models.sql.upsert import upsert_into, upsert_statement

KEY_LENGTH = 128


class KeyReused(DomainError):
    code = ErrorCode.KEY_REUSED

    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was already used for another request.", field=("idempotency_key",)
        )


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """The first or a repeated use of a key; `reference` names what the first use makes before it is made."""

    account_id: int
    command: str
    key: str
    content_hash: str
    reference: str
    created_at: datetime


def build_claim(
    content: object, *, account_id: int, command: str, key: str, reference: str, now: datetime
) -> KeyClaim:
    """The claim of a key for a command with this content; raises Invalid for a key of a wrong length."""
    return KeyClaim(account_id, command, check_key(key), hash_of(content), reference, now)


async def claim_keys(session: AsyncSession, claims: Sequence[KeyClaim]) -> list[str | KeyReused | None]:
    """For each claim the reference of the key's first use, KeyReused, or None when this is the first use.

    One statement, and one more when a key is not new. All claims are of one command and of different
    accounts. A second use at the same moment waits until the first has committed or failed.
    """
    new = {
        tuple(row) for row in await CLAIM_KEYS.execute(session, claims=[asdict(claim) for claim in claims])
    }
    used = [claim for claim in claims if (claim.account_id, claim.key) not in new]
    found = await _find_keys(session, used) if used else {}
    return [_outcome_of(claim, found.get((claim.account_id, claim.key))) for claim in claims]


async def find_outcomes(session: AsyncSession, claims: Sequence[KeyClaim]) -> list[str | KeyReused | None]:
    """As `claim_keys`, without claiming them."""
    found = await _find_keys(session, claims)
    return [_outcome_of(claim, found.get((claim.account_id, claim.key))) for claim in claims]


async def release_keys(session: AsyncSession, claims: Collection[KeyClaim]) -> None:
    """Delete keys whose command was refused, so that they can be used again."""
    await session.execute(
        delete(IdempotencyKey).where(
            KEY.in_([(claim.account_id, claim.command, claim.key) for claim in claims])
        )
    )


async def _find_keys(
    session: AsyncSession, claims: Sequence[KeyClaim]
) -> Mapping[tuple[int, str], IdempotencyKey]:
    rows = await session.scalars(
        select(IdempotencyKey)
        .where(KEY.in_([(claim.account_id, claim.command, claim.key) for claim in claims]))
        .execution_options(populate_existing=True)
    )
    return {(row.account_id, row.key): row for row in rows}


def _outcome_of(claim: KeyClaim, first_use: IdempotencyKey | None) -> str | KeyReused | None:
    if first_use is None:
        return None
    return first_use.reference if first_use.content_hash == claim.content_hash else KeyReused()


def _claim_statements(dialect: str) -> list[Executable]:
    claims = bound_table("claims", column_types(IdempotencyKey, without=["result_id"]), dialect)
    # sorted, so that no two transactions wait for each other
    rows = select(*claims.c).order_by(claims.c.account_id, claims.c.key)
    return [
        upsert_statement(IdempotencyKey, dialect)
        .from_select([each.name for each in claims.c], rows)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.account_id, IdempotencyKey.key)
    ]


CLAIM_KEYS = BulkStatement("claim_keys", _claim_statements)
KEY = tuple_(IdempotencyKey.account_id, IdempotencyKey.command, IdempotencyKey.key)


async def claim_key(
    session: AsyncSession, *, account_id: int, command: str, key: str, content: object, now: datetime
) -> int | None:
    """The id that the first use of this key produced, or None when this is the first use.

    A second use at the same moment waits in the INSERT until the first has committed or failed. Raises
    KeyReused where the first use had another content.
    """
    content_hash = hash_of(content)
    new = await session.scalar(
        upsert_into(session, IdempotencyKey)
        .values(
            account_id=account_id,
            command=command,
            key=check_key(key),
            content_hash=content_hash,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if new is not None:
        return None
    row = (await session.scalars(select(IdempotencyKey).where(is_key(account_id, command, key)))).one()
    if row.content_hash != content_hash:
        raise KeyReused
    return row.result_id


async def save_result(
    session: AsyncSession, *, account_id: int, command: str, key: str, result_id: int
) -> None:
    """Store what the first use of the key produced."""
    await session.execute(
        update(IdempotencyKey).where(is_key(account_id, command, key)).values(result_id=result_id)
    )


async def is_repeated(
    session: AsyncSession, *, command: str, key: str | None, content: object, about_id: int, cause: Cause
) -> bool:
    """Whether a command about a row was carried out under this key before; without a key it never was.

    From now on it has been. Raises KeyReused where the first use had another content.
    """
    if key is None:
        return False
    person, content = cause.person, [about_id, content]
    earlier = await claim_key(
        session, account_id=person, command=command, key=key, content=content, now=cause.now
    )
    if earlier is None:
        await save_result(session, account_id=person, command=command, key=key, result_id=about_id)
    return earlier is not None


def is_key(account_id: int, command: str, key: str) -> ColumnElement[bool]:
    return and_(
        IdempotencyKey.account_id == account_id,
        IdempotencyKey.command == command,
        IdempotencyKey.key == key,
    )


def check_key(key: str) -> str:
    """The key; raises Invalid when it is empty or too long."""
    if not 1 <= len(key) <= KEY_LENGTH:
        raise Invalid(
            "An idempotency key has 1 to {limit} characters.", limit=KEY_LENGTH, field=("idempotency_key",)
        )
    return key


def hash_of(content: object) -> str:
    """SHA-256 of the content as JSON, in hexadecimal."""
    text = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
