"""A database with many parcels under way, copied from one that the shop's own commands have sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from models import (
    Base,
    CarrierCode,
    CarrierConnection,
    Delivery,
    DeliveryLine,
    Order,
    Shipment,
    ShipmentLine,
    TrackingEvent,
)
from models import ShipmentStatus as S
from tests.factories.carrier import create_carrier
from tests.factories.shipment import confirmed_order, pack, send

CARRIER = CarrierCode("YTO")
KNOWN_EVENTS = 7
"""Events of each parcel that are stored; a push has them and a new one."""
COPIED_AT_ONCE = 100_000
COPY: sa.ColumnElement[int] = sa.column("n", sa.Integer)


@dataclass(frozen=True, slots=True)
class PushedParcels:
    """Parcels under way of which pushes come, each with an order of its own."""

    numbers: Sequence[str]
    packed_at: datetime

    def moment(self, step: int) -> datetime:
        return self.packed_at + timedelta(hours=step)


def step_text(step: int) -> str:
    """What the carrier says of each step; the parcel's number is no part of it."""
    return f"快件已到达【第{step}转运中心】，正在发往下一站，如有疑问请联系客服"


def open_connection(url: str) -> Any:
    return create_async_engine(url, poolclass=sa.NullPool).begin()


async def build_parcels(url: str, many: int) -> PushedParcels:
    """Parcels with KNOWN_EVENTS each that have left by a carrier of kuaidi100."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=KNOWN_EVENTS + 2)
    async with open_connection(url) as database, AsyncSession(bind=database) as session:
        await create_carrier(session, CARRIER, CarrierConnection.KUAIDI100, company_code="yuantong")
        [packed] = await pack(session, await confirmed_order(session, now=now), now=now)
        template = await send(session, packed, carrier=CARRIER, tracking_number="TEMPLATE", now=now)
        template_id, order_id, delivery_id = template.id, template.order_id, template.delivery_id
        await session.commit()
    async with open_connection(url) as database:
        orders = await copy_rows(database, Order, order_id, many, number=unique_text("O"))
        deliveries = await copy_rows(
            database, Delivery, delivery_id, many, order_id=sa.literal(orders - 1) + COPY
        )
        line_id = await database.scalar(
            sa.select(DeliveryLine.id).where(DeliveryLine.delivery_id == delivery_id)
        )
        lines = await copy_rows(
            database, DeliveryLine, line_id, many, delivery_id=sa.literal(deliveries - 1) + COPY
        )
        shipments = await copy_parcels(
            database,
            template_id,
            many,
            prefix="PUSHED",
            order_id=sa.literal(orders - 1) + COPY,
            delivery_id=sa.literal(deliveries - 1) + COPY,
        )
        await copy_lines(database, template_id, shipments - 1, lines - 1, many)
        await add_events(database, shipments, many, now)
    return PushedParcels([f"PUSHED{number}" for number in range(1, many + 1)], now)


async def copy_parcels(
    database: AsyncConnection, template: int, many: int, *, prefix: str, **changes: Any
) -> int:
    """Copies of a parcel, with numbers of their own; the first id of them."""
    return await copy_rows(
        database,
        Shipment,
        template,
        many,
        number=unique_text("P"),
        tracking_number=sa.literal(prefix).concat(sa.cast(COPY, sa.Text)),
        **changes,
    )


async def add_polled_parcels(url: str, many: int, *, now: datetime, interval: timedelta) -> None:
    """Further parcels under way, all of one order, which fall due evenly within an interval from now on."""
    async with open_connection(url) as database:
        template = await database.scalar(sa.select(Shipment.id).where(Shipment.tracking_number == "TEMPLATE"))
        await database.execute(sa.update(Shipment).values(poll_at=None))
        step = sa.literal(interval / many, sa.Interval)
        for start in range(0, many, COPIED_AT_ONCE):
            await copy_parcels(
                database,
                template or 0,
                min(COPIED_AT_ONCE, many - start),
                prefix=f"POLLED{start}-",
                poll_at=sa.literal(now, sa.DateTime(timezone=True)) + (COPY + start) * step,
                polled_at=sa.literal(now - interval, sa.DateTime(timezone=True)),
            )


async def copy_rows(
    database: AsyncConnection, table: type[Base], template: Any, many: int, **changes: Any
) -> int:
    """Copies of a row with other values in some columns; the first of their ids, which follow each other."""
    columns = [column for column in table.__table__.columns if column.name != "id"]
    values = [changes.get(column.name, column) for column in columns]
    numbers = sa.func.generate_series(1, many).table_valued("n").render_derived()
    rows = (
        sa.select(*values)
        .select_from(sa.join(table, numbers, sa.true()))
        .where(table.__table__.c.id == template)
        .order_by(COPY)
    )
    made = sa.insert(table).from_select([column.name for column in columns], rows)
    returned = made.returning(table.__table__.c.id).cte("made")
    first: int = await database.scalar(sa.select(sa.func.min(returned.c.id))) or 0
    return first


async def copy_lines(
    database: AsyncConnection, template: int, before: int, lines_before: int, many: int
) -> None:
    """What is in each copied parcel; the ids of parcels and lines follow those before."""
    numbers = sa.func.generate_series(1, many).table_valued("n").render_derived()
    columns = list(ShipmentLine.__table__.columns)
    changed = {"shipment_id": sa.literal(before) + COPY, "delivery_line_id": sa.literal(lines_before) + COPY}
    rows = (
        sa.select(*(changed.get(column.name, column) for column in columns))
        .select_from(sa.join(ShipmentLine, numbers, sa.true()))
        .where(ShipmentLine.shipment_id == template)
    )
    await database.execute(sa.insert(ShipmentLine).from_select([each.name for each in columns], rows))


async def add_events(database: AsyncConnection, first: int, many: int, packed_at: datetime) -> None:
    """The events that are known of each parcel already."""
    steps = (
        sa.values(
            sa.column("at", sa.DateTime(timezone=True)),
            sa.column("text", sa.Text),
            name="steps",
        )
        .data([(packed_at + timedelta(hours=step), step_text(step)) for step in range(1, KNOWN_EVENTS + 1)])
        .alias("steps")
    )
    status = sa.literal(S.IN_TRANSIT.value)
    text = steps.c.text
    digest = sa.func.encode(sa.func.sha256(sa.func.convert_to(text, "UTF8")), "hex")
    rows = sa.select(
        Shipment.id, status, sa.literal("0"), text, sa.literal(""), steps.c.at, steps.c.at, digest
    ).select_from(sa.join(Shipment, steps, Shipment.id.between(first, first + many - 1)))
    names = [
        "shipment_id",
        "status",
        "code",
        "description",
        "location",
        "occurred_at",
        "received_at",
        "text_hash",
    ]
    await database.execute(sa.insert(TrackingEvent).from_select(names, rows))
    await database.execute(
        sa.update(Shipment)
        .where(Shipment.id.between(first, first + many - 1))
        .values(status=S.IN_TRANSIT, version=3, last_event_at=packed_at + timedelta(hours=KNOWN_EVENTS))
    )


def unique_text(name: str) -> Any:
    """A different text for each copied row."""
    return sa.literal(f"{name}-{uuid4().hex}-").concat(sa.cast(COPY, sa.Text))
