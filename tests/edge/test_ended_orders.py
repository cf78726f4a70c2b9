"""Orders that former releases ended while something was open: the audit names them, a command mends them."""

from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import cancel_order
from events.shop import Shop
from models import Order, OrderStatus, Shipment, TicketReason, TicketStatus, TicketType
from tests.factories.aftersales import create_ticket
from tests.factories.order import NOW, create_order, pack
from tests.observe import find_disagreements
from tests.process import call_cartwheel, process_environment


async def end_as_before(session: AsyncSession, order: Order, status: OrderStatus) -> None:
    """Let an order end as releases up to 0.2.0 did, whatever is open of it."""
    await session.execute(update(Order).where(Order.id == order.id).values(status=status))


async def test_an_order_that_ended_too_early_goes_on(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    asked = await create_order(session, status=OrderStatus.COMPLETED)
    await create_ticket(session, order=asked)
    replaced = await create_order(session, status=OrderStatus.COMPLETED)
    await create_ticket(
        session,
        order=replaced,
        type=TicketType.RESHIP,
        reason=TicketReason.MISSING_ITEM,
        status=TicketStatus.RESHIPPING,
    )
    packed = await create_order(session, status=OrderStatus.CONFIRMED)
    await pack(session, packed)
    await cancel_order(session, packed.id, reason="No.", cause=Cause(NOW))
    await session.execute(
        update(Shipment).where(Shipment.order_id == packed.id).values(ended_at=None, ending=None)
    )
    ended = await create_order(session, status=OrderStatus.COMPLETED)
    await end_as_before(session, asked, OrderStatus.COMPLETED)
    await end_as_before(session, replaced, OrderStatus.CLOSED)
    await session.commit()
    named = " ".join(await find_disagreements(shop.database))
    assert all(order.number in named for order in (asked, replaced, packed))
    assert ended.number not in named

    env = process_environment(shop.settings.database.url, tmp_path)
    finished = await call_cartwheel("continue-orders", env=env)
    again = await call_cartwheel("continue-orders", env=env)

    assert (finished.returncode, finished.stdout) == (0, "3 orders go on.\n")
    assert again.stdout == "0 orders go on.\n"
    statuses = await session.scalars(select(Order.status).order_by(Order.id))
    assert list(statuses) == [
        OrderStatus.CONFIRMED,
        OrderStatus.CONFIRMED,
        OrderStatus.CANCELLED,
        OrderStatus.COMPLETED,
    ]
    await session.commit()
    assert await find_disagreements(shop.database) == []
