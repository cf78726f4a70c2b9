"""What customers are told of their orders, parcels and tickets: each once, whatever is repeated."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.requests import escalate_ticket
from domain.cause import Cause
from domain.events import ShipmentDelivered, read_event
from domain.order import cancel_order, confirm_receipt
from domain.payment import settle_refund
from events.notices.customer import NOTICED, notify_customers, write_money
from events.reactions import NOTIFY, REACTIONS
from events.shop import Shop
from models import (
    Account,
    CurrencyCode,
    DeviceToken,
    Event,
    Money,
    NoticeChannel,
    NoticeKind,
    OrderStatus,
    Refund,
    Shipment,
)
from tests.conftest import STARTED_AT, Clock
from tests.factories.account import create_account
from tests.factories.aftersales import DEADLINES, create_ticket
from tests.factories.order import arrive, create_order, dispatch
from tests.factories.returns import decide
from tests.factories.token import create_sign_in
from tests.notices import send_notices
from tests.observe import count_statements, run_until_idle


@pytest.fixture
async def mei(session: AsyncSession) -> Account:
    account = await create_account(session, email="mei@example.com", language="en")
    await session.commit()
    return account


async def sent(shop: Shop) -> list[tuple[str, NoticeKind]]:
    """Run all reactions and send all notices; who was told what, in the order of the events."""
    await run_until_idle(shop)
    messages = sorted(await send_notices(shop), key=lambda message: int(message.id[7:]))
    return [(message.recipient, message.kind) for message in messages]


async def test_a_customer_is_told_of_an_order_from_its_confirmation_to_its_end(
    shop: Shop, session: AsyncSession, mei: Account
) -> None:
    order = await create_order(session, account=mei, status=OrderStatus.CONFIRMED, now=STARTED_AT)
    await session.commit()
    assert await sent(shop) == [("mei@example.com", NoticeKind.ORDER_CONFIRMED)]

    parcels = await dispatch(session, order, now=STARTED_AT)
    await session.commit()
    notices = await sent(shop)
    assert notices == [("mei@example.com", NoticeKind.SHIPMENT_DISPATCHED)] * len(parcels)

    for parcel in parcels:
        await arrive(session, await session.get_one(Shipment, parcel.id), now=STARTED_AT)
    await session.commit()
    notices = await sent(shop)
    assert notices == [("mei@example.com", NoticeKind.SHIPMENT_DELIVERED)] * len(parcels)

    await confirm_receipt(session, order.id, cause=Cause(STARTED_AT, mei.id))
    await session.commit()
    assert await sent(shop) == [("mei@example.com", NoticeKind.ORDER_COMPLETED)]
    assert await sent(shop) == []


async def test_deliveries_of_many_customers_are_told_in_a_constant_number_of_statements(
    shop: Shop, session: AsyncSession
) -> None:
    for name in ("mei", "lan", "hua"):
        account = await create_account(session, email=f"{name}@example.com")
        order = await create_order(session, account=account, status=OrderStatus.CONFIRMED, now=STARTED_AT)
        for parcel in await dispatch(session, order, now=STARTED_AT):
            await arrive(session, await session.get_one(Shipment, parcel.id), now=STARTED_AT)
    await session.commit()
    stored = await session.scalars(
        select(Event).where(Event.name == ShipmentDelivered.name).order_by(Event.id)
    )
    events = [read_event(event) for event in stored]
    await session.commit()

    counted = []
    for some in (events[:1], events):
        async with shop.database.writes.begin() as writing:
            with count_statements(shop) as statements:
                await notify_customers(writing, some, shop)
        counted.append(statements.total)

    assert counted[0] == counted[1]
    messages = sorted(await send_notices(shop), key=lambda message: int(message.id[7:]))
    recipients = [message.recipient for message in messages]
    assert {message.kind for message in messages} == {NoticeKind.SHIPMENT_DELIVERED}
    assert (len(recipients), list(dict.fromkeys(recipients))) == (
        len(events),
        ["mei@example.com", "lan@example.com", "hua@example.com"],
    )


async def test_a_cancelled_order_is_told_and_its_refund_too(
    shop: Shop, session: AsyncSession, mei: Account
) -> None:
    order = await create_order(session, account=mei, status=OrderStatus.CONFIRMED, now=STARTED_AT)
    await session.commit()
    await sent(shop)

    await cancel_order(session, order.id, reason="Changed my mind.", cause=Cause(STARTED_AT, mei.id))
    await session.commit()

    assert [kind for _, kind in await sent(shop)] == [NoticeKind.ORDER_CANCELLED]

    refund = (await session.scalars(select(Refund))).one()
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(STARTED_AT))
    await session.commit()
    assert [kind for _, kind in await sent(shop)] == [NoticeKind.REFUND_SUCCEEDED]


async def test_an_event_that_is_relayed_again_is_told_once(
    shop: Shop, session: AsyncSession, mei: Account
) -> None:
    await create_order(session, account=mei, status=OrderStatus.CONFIRMED, now=STARTED_AT)
    await session.commit()
    assert len(await sent(shop)) == 1

    await session.execute(update(Event).values(relayed_at=None, claimed_until=None))
    await session.commit()

    assert await sent(shop) == []


async def test_each_device_that_is_signed_in_gets_a_push_notice_beside_the_email(
    shop: Shop, session: AsyncSession, mei: Account, clock: Clock
) -> None:
    for name in ("phone", "tablet"):
        sign_in = create_sign_in(mei, family=name, now=clock())
        session.add(sign_in)
        await session.flush()
        session.add(DeviceToken(sign_in_id=sign_in.id, account_id=mei.id, token=name, created_at=clock()))
    await create_order(session, account=mei, status=OrderStatus.CONFIRMED, now=STARTED_AT)
    await session.commit()

    await run_until_idle(shop)
    messages = await send_notices(shop)

    assert sorted((message.channel, message.recipient) for message in messages) == [
        (NoticeChannel.EMAIL, "mei@example.com"),
        (NoticeChannel.PUSH, "phone"),
        (NoticeChannel.PUSH, "tablet"),
    ]


async def test_a_customer_without_an_email_address_is_told_by_sms_in_their_language(
    shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session, phone="+8613800138000", language="zh-CN")
    order = await create_order(session, account=account, status=OrderStatus.CONFIRMED, now=STARTED_AT)
    total = order.total
    await session.commit()

    await run_until_idle(shop)
    (message,) = await send_notices(shop)

    assert (message.channel, message.language) == (NoticeChannel.SMS, "zh")
    assert message.body == (
        f"感谢您的购买。订单 {order.number} 已确认，合计 {write_money(total, 'zh')}。发货后我们会通知您。"
    )


async def test_a_notice_of_an_order_names_no_person_and_no_address(
    shop: Shop, session: AsyncSession, mei: Account
) -> None:
    order = await create_order(session, account=mei, status=OrderStatus.CONFIRMED, now=STARTED_AT)
    await dispatch(session, order, now=STARTED_AT)
    await session.commit()

    await run_until_idle(shop)

    for message in await send_notices(shop):
        for personal in (mei.name, "林梅", "西湖区", "文三路", "13800138000"):
            assert personal not in message.title + message.body


async def test_a_ticket_is_told_when_it_is_opened_answered_and_decided(
    shop: Shop, session: AsyncSession, mei: Account
) -> None:
    support = await create_account(session)
    await session.execute(update(Account).where(Account.id == support.id).values(role="SUPPORT"))
    order = await create_order(session, account=mei, status=OrderStatus.COMPLETED, now=STARTED_AT)
    await session.commit()
    await sent(shop)
    ticket = await create_ticket(session, order=order, now=STARTED_AT)
    await session.commit()
    assert await sent(shop) == [("mei@example.com", NoticeKind.TICKET_OPENED)]

    for author, internal in ((mei, False), (support, True), (support, False)):
        await add_message(
            session,
            ticket.id,
            MessageDraft("Hello.", internal),
            DEADLINES,
            cause=Cause(STARTED_AT, author.id),
        )
        await session.commit()
    assert await sent(shop) == [("mei@example.com", NoticeKind.TICKET_ANSWERED)]

    await refuse_ticket(session, ticket.id, DEADLINES, reason="No.", cause=Cause(STARTED_AT, support.id))
    await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(STARTED_AT, mei.id))
    await decide(
        session, ticket.id, DEADLINES, agreed=True, reason="Yes.", cause=Cause(STARTED_AT, support.id)
    )
    await session.commit()
    assert await sent(shop) == [
        ("mei@example.com", NoticeKind.TICKET_REFUSED),
        ("mei@example.com", NoticeKind.TICKET_AGREED),
    ]


async def test_a_disabled_account_is_told_nothing(shop: Shop, session: AsyncSession, mei: Account) -> None:
    order = await create_order(session, account=mei, status=OrderStatus.COMPLETED, now=STARTED_AT)
    await session.commit()
    await sent(shop)
    ticket = await create_ticket(session, order=order, now=STARTED_AT)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(STARTED_AT, None))
    await session.execute(update(Account).values(disabled_at=STARTED_AT))
    await session.commit()

    assert await sent(shop) == []


def test_every_event_that_customers_are_told_of_has_the_reaction_and_no_other() -> None:
    reacting = {event_type for event_type, reactions in REACTIONS.items() if NOTIFY in reactions}
    assert reacting == set(NOTICED)


@pytest.mark.parametrize(("language", "written"), [("en", "1,234.50 CNY"), ("zh", "¥1,234.50")])
def test_amounts_are_written_as_people_write_them(language: str, written: str) -> None:
    assert write_money(Money(123_450, CurrencyCode.CNY), language) == written
