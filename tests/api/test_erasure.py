"""Erasing an account: refused while something is open; then nothing personal is left, and the books agree."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.requests import cancel_ticket
from domain.cause import Cause
from domain.events import read_event
from domain.notice import NoticeDraft, queue_notice
from domain.personal_data.erasure import texts_by_event
from domain.personal_data.inventory import PERSONAL_TABLES
from events.shop import Shop
from gateways.media import LocalMedia
from models import (
    Account,
    ArchivedEvent,
    Certificate,
    Event,
    Media,
    Notice,
    NoticeChannel,
    NoticeKind,
    Order,
    OrderNote,
    OrderStatus,
    QuizAnswer,
    QuizAttempt,
    QuizChoice,
    Refund,
    Role,
    Ticket,
    TicketStatus,
    TicketType,
    TrackingEvent,
)
from resolvers.ids import global_id
from tests.api.test_account import DISABLE, ENABLE, sign_in
from tests.api.test_account_owner import START_RESET
from tests.api.test_sign_ins import status_of
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT, Clock
from tests.factories.account import PASSWORD, create_account, create_address
from tests.factories.aftersales import DEADLINES, create_media, create_ticket
from tests.factories.cart import create_cart
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.factories.training import certify, create_course
from tests.given import codes
from tests.notices import CONFIRM, REGISTER, code_sent, send_notices
from tests.observe import assert_books_agree, read_all_rows, run_until_idle

ERASE = """mutation($input: AccountEraseInput!) { accountErase(input: $input) {
  account { id } userErrors { code message field } } }"""
ERASE_STAFF = """mutation($input: StaffEraseInput!) { staffErase(input: $input) {
  account { id } userErrors { code message field } } }"""
EXPORT = """mutation($input: AccountExportInput!) { accountExport(input: $input) {
  accountExport { url expiresAt } userErrors { code field } } }"""

MARK = "markedtext"
"""Stands in everything personal of the account that is erased."""
MARKS = (MARK, "+8613900139000")


@pytest.fixture
async def mei(clients: Clients, session: AsyncSession) -> Client:
    account = await create_account(
        session, name=f"{MARK} name", email=f"{MARK}@example.com", phone=MARKS[1], language="en"
    )
    await session.commit()
    return await clients.customer(account)


def account_of(client: Client) -> Account:
    assert client.account
    return client.account


async def live_a_full_life(shop: Shop, session: AsyncSession, mei: Client) -> None:
    """Everything a customer can leave behind, each marked: orders, a ticket, pictures, notices, addresses."""
    account = account_of(mei)
    await create_address(session, account, recipient=MARK, line1=MARK, phone=MARKS[1])
    goods = await variant_of(session, await create_product(session))
    await create_cart(session, account, lines={goods: 1})
    order = await create_order(session, account=account, status=OrderStatus.COMPLETED, now=STARTED_AT)
    picture = await create_media(session, uploader_id=account.id, now=STARTED_AT)
    ticket = await create_ticket(
        session,
        order=order,
        description=f"{MARK} leaks",
        media_ids=[picture.id],
        now=STARTED_AT,
    )
    await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(STARTED_AT, account.id))
    await add_message(
        session,
        ticket.id,
        MessageDraft(f"{MARK} body"),
        DEADLINES,
        cause=Cause(STARTED_AT, account.id),
    )
    await session.flush()
    order_id = order.id
    await session.execute(update(Order).values(note=MARK, hold_reason=MARK, cancel_reason=MARK))
    await session.execute(update(Ticket).values(refusal=MARK, return_tracking_number=MARK))
    await session.execute(update(TrackingEvent).values(description=MARK, location=MARK))
    for name in ("recipient", "line1", "line2"):
        await session.execute(update(PERSONAL_DELIVERY).values({name: MARK}))
    session.add(OrderNote(order_id=order_id, author_id=account.id, text=MARK, created_at=STARTED_AT))
    await mark_events(session)
    draft = NoticeDraft(
        "marked",
        NoticeKind.ORDER_CONFIRMED,
        NoticeChannel.EMAIL,
        f"{MARK}@example.com",
        account_id=account.id,
        facts={"number": MARK, "total": MARK},
    )
    await queue_notice(session, draft, now=STARTED_AT)
    await session.commit()
    await shop.media.put(picture.url.removeprefix("/media/"), b"picture", content_type="image/png")


PERSONAL_DELIVERY = next(model for model in PERSONAL_TABLES if model.__tablename__ == "deliveries")


async def mark_events(session: AsyncSession) -> None:
    """Mark the texts in events, and move one with a text to the archive."""
    for event in await session.scalars(select(Event)):
        texts = texts_by_event().get(event.name, frozenset()) & event.payload.keys()
        event.payload = event.payload | dict.fromkeys(texts, MARK)
    await session.flush()
    ticket = (await session.scalars(select(Ticket))).one()
    archived = {
        "id": 1_000_000,
        "name": "order.cancelled",
        "subject": "ORDER",
        "subject_id": ticket.order_id,
        "version": 1_000,
        "payload": {"account_id": ticket.account_id, "reason": MARK},
        "account_id": ticket.account_id,
        "actor_id": None,
        "occurred_at": STARTED_AT,
        "relayed_at": STARTED_AT,
    }
    await session.execute(insert(ArchivedEvent).values(**archived))


async def erase(shop: Shop, clock: Clock, mei: Client) -> None:
    payload = await mei.do(ERASE, password=PASSWORD)
    assert payload["userErrors"] == []
    clock.tick(timedelta(minutes=1))
    await run_until_idle(shop)


async def rows_with_marks(shop: Shop) -> list[str]:
    return [row for row in await read_all_rows(shop) if any(mark in row for mark in MARKS)]


async def amounts(session: AsyncSession) -> list[tuple[Any, ...]]:
    """What must not change: ids, amounts, statuses and times of an order."""
    found = await session.execute(
        select(Order.id, Order.number, Order.account_id, Order.total_amount, Order.status, Order.placed_at)
    )
    rows = [tuple(row) for row in found]
    await session.commit()
    return rows


async def test_nothing_personal_is_left_and_the_books_are_unchanged(
    shop: Shop, clients: Clients, session: AsyncSession, clock: Clock, mei: Client
) -> None:
    await live_a_full_life(shop, session, mei)
    await run_until_idle(shop)
    await send_notices(shop)
    before = await amounts(session)
    assert len({row.partition(" ")[0] for row in await rows_with_marks(shop)}) >= 10

    await erase(shop, clock, mei)

    assert await rows_with_marks(shop) == []
    assert await amounts(session) == before
    assert [read_event(event).name for event in await session.scalars(select(Event))] != []
    await session.execute(delete(ArchivedEvent))
    await session.commit()
    await assert_books_agree(shop)
    account = await session.get_one(Account, account_of(mei).id)
    assert (account.name, account.email, account.phone) == ("", None, None)
    assert account.erased_at == clock()


async def test_the_files_of_pictures_are_deleted_unless_another_row_shows_them(
    shop: Shop, session: AsyncSession, clock: Clock, mei: Client
) -> None:
    own, shared, shown = [
        await create_media(session, uploader_id=account_of(mei).id, now=STARTED_AT) for _ in range(3)
    ]
    session.add(Media(url=shared.url, alt="", uploader_id=None, created_at=STARTED_AT))
    product = await create_product(session)
    variant = await variant_of(session, product)
    variant.media_id = shown.id
    names = [media.url.removeprefix("/media/") for media in (own, shared, shown)]
    await session.commit()
    for name in (*names, f"{names[0]}.small.webp"):
        await shop.media.put(name, b"picture", content_type="image/png")

    await erase(shop, clock, mei)

    assert isinstance(shop.media, LocalMedia)
    assert files_in(shop.media.folder) == {names[1], names[2]}
    own_urls = select(Media.url).where(Media.url.startswith("/media/"))
    assert set(await session.scalars(own_urls)) == {f"/media/{name}" for name in names[1:]}
    await session.commit()
    owners = await session.scalars(select(Media.uploader_id))
    assert set(owners) == {None}


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_an_erased_account_cannot_sign_in_or_be_enabled_and_its_address_is_free_again(
    shop: Shop, clients: Clients, clock: Clock, mei: Client
) -> None:
    admin = await clients.staff(Role.ADMIN)

    await erase(shop, clock, mei)

    assert await status_of(mei) == 401
    assert codes(await sign_in(clients, f"{MARK}@example.com")) == ["CREDENTIALS_REFUSED"]
    enabled = await admin.do(ENABLE, id=global_id("Account", account_of(mei).id))
    assert codes(enabled) == ["WRONG_STATE"]
    await clients.guest().do(START_RESET, contact=f"{MARK}@example.com")
    assert await send_notices(shop) == []
    started = await clients.guest().do(
        REGISTER, name="Somebody", email=f"{MARK}@example.com", password=PASSWORD
    )
    code = await code_sent(shop, f"{MARK}@example.com")
    registered = await clients.guest().do(CONFIRM, token=started["verification"]["token"], code=code)
    assert codes(registered) == []


@pytest.mark.parametrize("opened", ["order", "ticket", "refund"])
async def test_an_account_with_something_open_is_not_erased_and_the_refusal_names_it(
    shop: Shop, session: AsyncSession, clock: Clock, mei: Client, opened: str
) -> None:
    account = account_of(mei)
    status = OrderStatus.CONFIRMED if opened == "order" else OrderStatus.COMPLETED
    order = await create_order(session, account=account, status=status, now=STARTED_AT)
    number = order.number
    if opened != "order":
        ticket = await create_ticket(
            session, order=order, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING, now=STARTED_AT
        )
        number = ticket.number
        if opened == "refund":
            ticket.status = TicketStatus.COMPLETED
            number = (await session.scalars(select(Refund.reference))).one()
    await session.commit()
    before = await count_marks(shop)

    payload = await mei.do(ERASE, password=PASSWORD)

    assert codes(payload) == ["WRONG_STATE"]
    assert number in payload["userErrors"][0]["message"]
    assert await status_of(mei) == 200
    clock.tick(timedelta(hours=1))
    assert await count_marks(shop) == before


async def count_marks(shop: Shop) -> int:
    return len(await rows_with_marks(shop))


async def test_an_order_that_is_placed_in_the_last_moment_keeps_the_account_until_it_is_finished(
    shop: Shop, session: AsyncSession, clock: Clock, mei: Client
) -> None:
    assert codes(await mei.do(ERASE, password=PASSWORD)) == []
    order = await create_order(session, account=account_of(mei), status=OrderStatus.CONFIRMED, now=STARTED_AT)
    await session.commit()
    clock.tick(timedelta(minutes=1))
    await run_until_idle(shop)
    account = await session.get_one(Account, account_of(mei).id)
    assert (account.erased_at, account.email) == (None, f"{MARK}@example.com")
    await session.commit()

    await session.execute(update(Order).where(Order.id == order.id).values(status=OrderStatus.COMPLETED))
    await session.commit()
    clock.tick(timedelta(hours=1))
    await run_until_idle(shop)

    account = await session.get_one(Account, account_of(mei).id)
    assert account.erased_at is not None


async def test_erasing_takes_the_password_and_tells_the_owner_before_the_address_is_gone(
    shop: Shop, session: AsyncSession, mei: Client
) -> None:
    assert codes(await mei.do(ERASE, password="a wrong guess")) == ["CREDENTIALS_REFUSED"]
    assert await status_of(mei) == 200

    assert codes(await mei.do(ERASE, password=PASSWORD)) == []

    (message,) = await send_notices(shop)
    assert (message.kind, message.recipient) == (NoticeKind.ERASURE_REQUESTED, f"{MARK}@example.com")


async def test_a_notice_that_waits_when_the_account_is_erased_is_never_sent(
    shop: Shop, session: AsyncSession, clock: Clock, mei: Client
) -> None:
    await erase(shop, clock, mei)

    assert await session.scalar(select(func.count(Notice.id))) == 0
    assert await send_notices(shop) == []


async def test_what_others_left_behind_stays(
    shop: Shop, clients: Clients, session: AsyncSession, clock: Clock, mei: Client
) -> None:
    other = await create_account(session, name="Other", email="other@example.com")
    await create_address(session, other, recipient="Other")
    order = await create_order(session, account=other, status=OrderStatus.COMPLETED, now=STARTED_AT)
    await create_ticket(session, order=order, description="Other leaks", now=STARTED_AT)
    await session.commit()
    await run_until_idle(shop)
    before = [row for row in await read_all_rows(shop) if "Other" in row or "林梅" in row]

    await erase(shop, clock, mei)

    assert [row for row in await read_all_rows(shop) if "Other" in row or "林梅" in row] == before


async def test_an_administrator_erases_former_staff_after_disabling_them(
    shop: Shop, clients: Clients, session: AsyncSession, clock: Clock
) -> None:
    admin, support = await clients.staff(Role.ADMIN), await clients.staff(Role.SUPPORT)
    id_ = global_id("Account", account_of(support).id)
    await certify(
        session, await create_course(session), await session.get_one(Account, account_of(support).id)
    )
    await session.commit()
    refused = await support.do(ERASE, password=PASSWORD)
    assert codes(refused) == ["WRONG_STATE"]
    assert codes(await admin.do(ERASE_STAFF, id=id_)) == ["WRONG_STATE"]
    await admin.do(DISABLE, id=id_)

    assert codes(await admin.do(ERASE_STAFF, id=id_)) == []
    await run_until_idle(shop)

    account = await session.get_one(Account, account_of(support).id)
    assert (account.name, account.email, account.role) == ("", None, Role.SUPPORT)
    for model in (QuizAttempt, QuizAnswer, QuizChoice, Certificate):
        assert (await session.scalars(select(model))).all() == [], model
    await session.commit()
    assert codes(await admin.do(ERASE_STAFF, id=id_)) == ["WRONG_STATE"]
    own = global_id("Account", account_of(admin).id)
    assert codes(await admin.do(ERASE_STAFF, id=own)) == ["WRONG_STATE"]


async def open_link(clients: Clients, url: str) -> tuple[int, dict[str, Any]]:
    response = await clients.http.get(url)
    return response.status_code, response.json()


async def test_an_export_has_everything_of_the_account_and_opens_once(
    shop: Shop, clients: Clients, session: AsyncSession, mei: Client
) -> None:
    await live_a_full_life(shop, session, mei)
    await create_order(session, status=OrderStatus.COMPLETED, now=STARTED_AT)
    await session.commit()
    export = (await mei.do(EXPORT, password=PASSWORD))["accountExport"]

    status, body = await open_link(clients, export["url"])

    assert status == 200
    tables = body["tables"]
    assert tables["accounts"][0]["email"] == f"{MARK}@example.com"
    assert [row["description"] for row in tables["tickets"]] == [f"{MARK} leaks"]
    assert len(tables["orders"]) == 1
    assert {row["recipient"] for row in tables["deliveries"]} == {MARK}
    assert len(tables["media"]) == len(tables["addresses"]) == len(tables["cart_lines"]) == 1
    assert len(tables["archived_events"]) == 1
    text = json.dumps(body)
    for secret in (account_of(mei).password_hash, "token_hash", "nonce", "order_notes"):
        assert secret not in text
    assert (await open_link(clients, export["url"]))[0] == 404


async def test_a_link_of_an_export_expires_and_an_invented_one_opens_nothing(
    clients: Clients, clock: Clock, mei: Client
) -> None:
    export = (await mei.do(EXPORT, password=PASSWORD))["accountExport"]
    assert export["expiresAt"] == (clock() + timedelta(minutes=10)).isoformat()
    clock.tick(timedelta(minutes=10))

    assert (await open_link(clients, export["url"]))[0] == 404
    path = export["url"].partition("?")[0]
    for token in ("", "?token=", "?token=invented", f"?token={'x' * 10_000}"):
        assert (await open_link(clients, f"{path}{token}"))[0] == 404


async def test_an_export_takes_the_password_and_five_a_day_are_enough(mei: Client) -> None:
    assert codes(await mei.do(EXPORT, password="a wrong guess")) == ["CREDENTIALS_REFUSED"]
    replies = [codes(await mei.do(EXPORT, password=PASSWORD)) for _ in range(6)]
    assert replies == [[]] * 5 + [["LIMIT_REACHED"]]


async def test_a_link_of_an_export_opens_nothing_once_the_account_is_erased(
    shop: Shop, clients: Clients, clock: Clock, mei: Client
) -> None:
    export = (await mei.do(EXPORT, password=PASSWORD))["accountExport"]
    await erase(shop, clock, mei)

    assert (await open_link(clients, export["url"]))[0] == 404
