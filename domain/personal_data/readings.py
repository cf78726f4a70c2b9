"""Who of the staff has read whose personal data: noted once for each operation and person."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, insert, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from models import Order, Payment, Reading, Shipment, Ticket
from models.sql.types import AnyColumn, AnySelect

OPERATION_LENGTH = 100


ReadFields = dict[tuple[str, int], set[str]]
"""What one operation has read: the fields by whose they are, which is an account, an order, a payment, a
parcel or a ticket, as the name of the column that refers to it and its id."""

ACCOUNT, ORDER, PAYMENT, SHIPMENT, TICKET = (
    "account_id",
    "order_id",
    "payment_id",
    "shipment_id",
    "ticket_id",
)

OWNERS: Mapping[str, AnySelect] = {
    ORDER: select(Order.id, Order.account_id),
    PAYMENT: select(Payment.id, Order.account_id).join(Order, Order.id == Payment.order_id),
    SHIPMENT: select(Shipment.id, Order.account_id).join(Order, Order.id == Shipment.order_id),
    TICKET: select(Ticket.id, Ticket.account_id),
}
"""Column -> ids and the accounts they belong to."""
IDS: Mapping[str, AnyColumn] = {
    ORDER: Order.id,
    PAYMENT: Payment.id,
    SHIPMENT: Shipment.id,
    TICKET: Ticket.id,
}


async def record_readings(
    session: AsyncSession, read: ReadFields, *, operation: str, expires_at: datetime, cause: Cause
) -> None:
    """Note what was read, one row for each person: one statement, and one to find them."""
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


async def find_owners(session: AsyncSession, read: ReadFields) -> dict[int, set[str]]:
    """The fields that were read by the account whose they are."""
    fields: defaultdict[int, set[str]] = defaultdict(set)
    for (column, id_), names in read.items():
        if column == ACCOUNT:
            fields[id_] |= names
    asked = [
        statement.add_columns(literal(column)).where(IDS[column].in_(ids))
        for column, statement in OWNERS.items()
        if (ids := [id_ for kind, id_ in read if kind == column])
    ]
    for id_, account_id, column in await session.execute(union_all(*asked)) if asked else ():
        fields[account_id] |= read[column, id_]
    return fields


def select_expired_readings(now: datetime) -> AnySelect:
    """The ids of readings to delete, the newest first: with each go all that are older."""
    return select(Reading.id).where(Reading.expires_at <= now).order_by(Reading.id.desc())


async def delete_readings(session: AsyncSession, reading_id: int, *, now: datetime) -> None:
    """Delete a reading that is kept no longer, and those before it."""
    await session.execute(delete(Reading).where(Reading.id <= reading_id, Reading.expires_at <= now))
