"""Who of the staff has read whose personal data: noted once for each operation and person."""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from models import Order, Reading
from models.sql.types import AnySelect

OPERATION_LENGTH = 100


@dataclass(slots=True)
class ReadFields:
    """What one operation has read: fields by the account whose they are, or by the order."""

    of_accounts: dict[int, set[str]] = field(default_factory=dict)
    of_orders: dict[int, set[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.of_accounts or self.of_orders)


async def record_readings(
    session: AsyncSession, read: ReadFields, *, operation: str, expires_at: datetime, cause: Cause
) -> None:
    """Note what was read, one row for each person: one statement, and one more where orders were read."""
    fields = await find_owners(session, read)
    fields.pop(cause.person, None)
    if not fields:
        return
    rows = [
        {
            "reader_id": cause.person,
            "account_id": account_id,
            "operation": operation[:OPERATION_LENGTH],
            "fields": sorted(names),
            "read_at": cause.now,
            "expires_at": expires_at,
        }
        for account_id, names in sorted(fields.items())
    ]
    await session.execute(insert(Reading), rows)


async def find_owners(session: AsyncSession, read: ReadFields) -> dict[int, AbstractSet[str]]:
    """The fields that were read by the account whose they are."""
    fields: defaultdict[int, set[str]] = defaultdict(set)
    for account_id, names in read.of_accounts.items():
        fields[account_id] |= names
    if read.of_orders:
        owners = await session.execute(
            select(Order.id, Order.account_id).where(Order.id.in_(list(read.of_orders)))
        )
        for order_id, account_id in owners:
            fields[account_id] |= read.of_orders[order_id]
    return dict[int, AbstractSet[str]](fields)


def select_expired_readings(now: datetime) -> AnySelect:
    """The ids of readings to delete, the newest first: with each go all that are older."""
    return select(Reading.id).where(Reading.expires_at <= now).order_by(Reading.id.desc())


async def delete_readings(session: AsyncSession, reading_id: int, *, now: datetime) -> None:
    """Delete a reading that is kept no longer, and those before it."""
    await session.execute(delete(Reading).where(Reading.id <= reading_id, Reading.expires_at <= now))
