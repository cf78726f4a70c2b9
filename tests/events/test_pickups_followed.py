"""What the shop does by itself about what is collected: it tells the customer, and ends it in time."""

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.pickup import pickup_subject
from events.shop import Shop
from gateways.secrets import derive_code
from models import (
    Delivery,
    DeviceToken,
    Notice,
    NoticeChannel,
    NoticeKind,
    Order,
    OrderDisplayStatus,
    OrderStatus,
    PickupStatus,
    StockLevel,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.factories.aftersales import create_ticket
from tests.factories.order import COLLECT_WITHIN, a_variant, pack
from tests.factories.pickup import (
    create_collected_order,
    create_pickup_place,
    hand_over,
    make_ready,
    pickup_of,
)
from tests.factories.token import create_sign_in
from tests.notices import send_notices
from tests.observe import run_until_idle

READY = {
    "en": "Your order {number} waits for you at Shop at West Lake until 2026-11-18 at 16:00 +0800. "
    "Show the code {code}",
    "zh": "您的订单 {number} 已备好，请于 2026年11月18日 16:00（+0800） 前到 Shop at West Lake 领取，"
    "取货码：{code}。",
}
ENDED = {
    "en": "What was to be collected at Shop at West Lake of your order {number} is back in stock",
    "zh": "您的订单 {number} 中待在 Shop at West Lake 领取的商品因逾期未取或已取消，现已退回库存。",
}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_customer_is_told_the_code_and_when_it_was_not_collected_in_time(
    shop: Shop, clock: Clock, session: AsyncSession, language: str
) -> None:
    mei = await create_account(session, email="mei@example.com", language=language)
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 2})
    order, delivery = await create_collected_order(session, tea, place, account=mei, now=clock())
    pickup = await make_ready(session, delivery, now=clock())
    code = derive_code(shop.settings.signing_key(), *pickup_subject(pickup))
    order_id, number, variant_id = order.id, order.number, tea.id
    await session.commit()

    with structlog.testing.capture_logs() as logs:
        await run_until_idle(shop)
        messages = {each.kind: each.body for each in await send_notices(shop)}

    assert messages[NoticeKind.PICKUP_READY].startswith(READY[language].format(number=number, code=code))
    assert code not in str(logs)
    async with shop.database.reads() as reads:
        assert code not in str((await reads.scalars(select(Notice.facts))).all())

    clock.tick(COLLECT_WITHIN)
    await run_until_idle(shop)
    messages = {each.kind: each.body for each in await send_notices(shop)}

    assert messages[NoticeKind.PICKUP_ENDED].startswith(ENDED[language].format(number=number))
    assert NoticeKind.ORDER_CANCELLED in messages
    async with shop.database.reads() as reads:
        assert (await reads.get_one(Order, order_id)).status is OrderStatus.CANCELLED
        level = await reads.get_one(StockLevel, (variant_id, place.id))
        assert (level.on_hand, level.reserved) == (2, 0)


async def test_the_code_is_in_what_a_device_shows_too(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    mei = await create_account(session, email="mei@example.com", language="en")
    sign_in = create_sign_in(mei, family="phone", now=clock())
    session.add(sign_in)
    await session.flush()
    session.add(DeviceToken(sign_in_id=sign_in.id, account_id=mei.id, token="phone", created_at=clock()))
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 2})
    _, delivery = await create_collected_order(session, tea, place, account=mei, now=clock())
    pickup = await make_ready(session, delivery, now=clock())
    code = derive_code(shop.settings.signing_key(), *pickup_subject(pickup))
    await session.commit()

    await run_until_idle(shop)
    messages = await send_notices(shop)

    [body] = [
        each.body
        for each in messages
        if (each.kind, each.channel) == (NoticeKind.PICKUP_READY, NoticeChannel.PUSH)
    ]
    assert code in body


async def replacement_to_collect(session: AsyncSession, clock: Clock) -> tuple[Order, Ticket, Delivery]:
    """An order that was collected, and the packed replacement of a missing unit of it."""
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 3, "MAIN": 50})
    order, delivery = await create_collected_order(session, tea, place, now=clock())
    await make_ready(session, delivery, now=clock())
    await hand_over(session, delivery, place.id, now=clock())
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.RESHIP,
        reason=TicketReason.MISSING_ITEM,
        status=TicketStatus.RESHIPPING,
        now=clock(),
    )
    [replacement] = await session.scalars(select(Delivery).where(Delivery.ticket_id == ticket.id))
    [parcel] = await pack(session, order, now=clock())
    assert parcel.warehouse_id == place.id
    return order, ticket, replacement


async def test_a_replacement_is_collected_at_the_same_place(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    order, ticket, replacement = await replacement_to_collect(session, clock)
    pickup = await make_ready(session, replacement, now=clock())
    assert pickup.due_at == clock() + COLLECT_WITHIN
    assert order.display_status is OrderDisplayStatus.READY_FOR_PICKUP

    await hand_over(session, replacement, pickup.warehouse_id, now=clock())
    await session.commit()
    await run_until_idle(shop)

    async with shop.database.reads() as reads:
        assert (await reads.get_one(Ticket, ticket.id)).status is TicketStatus.COMPLETED


async def test_the_customer_chooses_what_to_get_for_a_replacement_that_was_not_collected(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    order, ticket, replacement = await replacement_to_collect(session, clock)
    pickup = await make_ready(session, replacement, now=clock())
    variant_id = await session.scalar(select(StockLevel.variant_id).limit(1))
    await session.commit()
    await run_until_idle(shop)

    clock.tick(COLLECT_WITHIN)
    await run_until_idle(shop)

    async with shop.database.reads() as reads:
        assert (await reads.get_one(Ticket, ticket.id)).status is TicketStatus.AWAITING_CHOICE
        assert (await reads.get_one(Order, order.id)).status is OrderStatus.CONFIRMED
        level = await reads.get_one(StockLevel, (variant_id, pickup.warehouse_id))
        assert (level.on_hand, level.reserved) == (2, 0)
    assert (await pickup_of(session, replacement)).status is PickupStatus.ENDED
    await session.commit()
    kinds = [each.kind for each in await send_notices(shop)]
    assert NoticeKind.TICKET_CHOICE in kinds
    assert NoticeKind.PICKUP_ENDED not in kinds
