"""Registration by a one-time code, which never tells who has an account."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Account, Notice, NoticeChannel, NoticeStatus, Verification
from tests.api.test_account import VIEWER, client_of
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.account import PASSWORD, create_account
from tests.given import codes
from tests.notices import CONFIRM, REGISTER, code_sent, send_notices
from tests.observe import count_statements


async def register(clients: Clients, **given: Any) -> dict[str, Any]:
    terms = {"name": "Lin Mei", "email": "mei@example.com", "password": PASSWORD} | given
    return await clients.guest().do(REGISTER, **terms)


async def confirm(clients: Clients, started: dict[str, Any], code: str) -> dict[str, Any]:
    return await clients.guest().do(CONFIRM, token=started["verification"]["token"], code=code)


async def count(session: AsyncSession, model: type[Any]) -> int:
    found = await session.scalar(select(func.count()).select_from(model)) or 0
    await session.rollback()
    return found


def other_code(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_a_customer_registers_with_the_code_that_was_sent_and_is_signed_in(
    clients: Clients, shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    started = await register(clients, email=" Mei@Example.COM ", name=" Lin   Mei ")
    assert started["userErrors"] == []
    assert started["verification"]["expiresAt"] == (clock() + timedelta(minutes=10)).isoformat()
    assert await count(session, Account) == 0

    payload = await confirm(clients, started, await code_sent(shop, "mei@example.com"))

    assert payload["session"]["account"] | {"id": ""} == {
        "id": "",
        "name": "Lin Mei",
        "email": "mei@example.com",
        "phone": None,
        "role": "CUSTOMER",
    }
    assert payload["session"]["expiresAt"] == (clock() + timedelta(minutes=15)).isoformat()
    viewer = (await client_of(clients, payload).get(VIEWER))["viewer"]
    assert viewer["account"] == {"email": "mei@example.com", "addresses": []}
    account = (await session.scalars(select(Account))).one()
    assert (account.email_verified_at, account.phone_verified_at) == (clock(), None)
    kept = (await session.scalars(select(Verification))).one()
    assert (kept.name, kept.password_hash) == (None, None)


async def test_a_phone_number_gets_its_code_by_sms_and_has_one_spelling(clients: Clients, shop: Shop) -> None:
    started = await register(clients, email=None, phone="138 0013-8000")

    (message,) = await send_notices(shop)

    assert (message.channel, message.recipient) == (NoticeChannel.SMS, "+8613800138000")
    payload = await confirm(clients, started, message.body[:6])
    assert payload["session"]["account"]["phone"] == "+8613800138000"


async def test_whoever_has_an_account_is_told_so_and_the_answer_is_the_same(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_account(session, email="mei@example.com")
    await session.commit()

    with count_statements(shop) as known:
        taken = await register(clients)
    with count_statements(shop) as unknown:
        free = await register(clients, email="somebody@example.com")

    assert taken["userErrors"] == free["userErrors"] == []
    assert taken["verification"].keys() == free["verification"].keys()
    assert known.texts == unknown.texts
    warning, invited = sorted(await send_notices(shop), key=lambda message: message.recipient)
    assert (warning.recipient, warning.title) == ("mei@example.com", "You have an account already")
    assert invited.recipient == "somebody@example.com"
    assert invited.title.startswith("Your code: ")


async def test_not_even_the_right_code_registers_a_second_account_or_tells_of_the_first(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    started = await register(clients)
    code = await code_sent(shop, "mei@example.com")
    await create_account(session, email="mei@example.com")
    await session.commit()

    taken = await confirm(clients, started, code)
    wrong = await confirm(clients, started, "000000")

    assert taken == wrong
    assert codes(taken) == ["CREDENTIALS_REFUSED"]
    assert await count(session, Account) == 1


async def test_four_confirmations_at_once_create_one_account(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    started = [await register(clients) for _ in range(2)]
    messages = await send_notices(shop)
    pairs = [
        (each, message.body[:6])
        for each, message in zip(started, sorted(messages, key=lambda m: int(m.id[7:])), strict=True)
    ]

    replies = await asyncio.gather(*(confirm(clients, *pair) for pair in pairs * 2))

    assert sorted(codes(reply) for reply in replies) == [[], *[["CREDENTIALS_REFUSED"]] * 3]
    assert await count(session, Account) == 1


async def test_a_code_can_be_tried_five_times(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    started = await register(clients)
    code = await code_sent(shop, "mei@example.com")
    for _ in range(5):
        assert codes(await confirm(clients, started, other_code(code))) == ["CREDENTIALS_REFUSED"]

    assert codes(await confirm(clients, started, code)) == ["CREDENTIALS_REFUSED"]
    assert await count(session, Account) == 0


async def test_many_guesses_at_the_same_moment_are_all_counted(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    started = await register(clients)
    code = await code_sent(shop, "mei@example.com")

    await asyncio.gather(*(confirm(clients, started, other_code(code)) for _ in range(20)))

    assert codes(await confirm(clients, started, code)) == ["CREDENTIALS_REFUSED"]
    assert (await session.scalars(select(Verification.tries))).one() == 5


async def test_a_code_is_worth_nothing_to_a_stranger_who_lacks_the_token_and_cannot_use_it_up(
    clients: Clients, shop: Shop
) -> None:
    mine = await register(clients)
    code = await code_sent(shop, "mei@example.com")
    strangers = await register(clients, password="the stranger's password")
    for _ in range(6):
        assert codes(await confirm(clients, strangers, code)) == ["CREDENTIALS_REFUSED"]

    assert codes(await confirm(clients, mine, code)) == []


async def test_a_code_expires_after_ten_minutes_and_is_not_sent_later(
    clients: Clients, shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    started = await register(clients)
    code = await code_sent(shop, "mei@example.com")
    await register(clients, email="late@example.com")
    clock.tick(timedelta(minutes=10))

    assert codes(await confirm(clients, started, code)) == ["CREDENTIALS_REFUSED"]
    assert await send_notices(shop) == []
    late = select(Notice.status).where(Notice.recipient == "late@example.com")
    assert (await session.scalars(late)).one() is NoticeStatus.DISCARDED


async def test_neither_code_nor_password_stands_in_the_database(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    started = await register(clients)
    code = await code_sent(shop, "mei@example.com")

    rows = [
        str(vars(row)) for model in (Verification, Notice) for row in await session.scalars(select(model))
    ]

    for secret in (code, PASSWORD, started["verification"]["token"]):
        assert not any(secret in row for row in rows)


async def test_a_refused_registration_names_the_wrong_field(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"email": None}, "email"),
        ({"phone": "13800138000"}, "email"),
        ({"email": "mei"}, "email"),
        ({"email": "mei@localhost"}, "email"),
        ({"email": f"{'m' * 250}@example.com"}, "email"),
        ({"email": None, "phone": "12"}, "phone"),
        ({"password": "seven77"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
    ]
    for change, field in wrong:
        payload = await register(clients, **change)
        assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [("INVALID", [field])], change
    assert await count(session, Verification) == await count(session, Notice) == 0


async def test_one_address_sends_five_codes_an_hour_to_one_contact(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    for _ in range(shop.settings.accounts.codes_per_pair):
        assert codes(await register(clients)) == []

    assert codes(await register(clients)) == ["LIMIT_REACHED"]
    assert codes(await register(clients, email="somebody@example.com")) == []
    assert await count(session, Verification) == shop.settings.accounts.codes_per_pair + 1


async def test_one_address_sends_a_limited_number_of_codes_whoever_gets_them(
    clients: Clients, shop: Shop
) -> None:
    limit = shop.settings.accounts.codes_per_address
    replies = [await register(clients, email=f"somebody{n}@example.com") for n in range(limit + 1)]

    assert [codes(reply) for reply in replies] == [*[[]] * limit, ["LIMIT_REACHED"]]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "x" * 10_000])
async def test_a_code_that_is_none_is_refused(clients: Clients, code: str) -> None:
    started = await register(clients)
    assert codes(await confirm(clients, started, code)) == ["CREDENTIALS_REFUSED"]


async def test_the_code_of_one_purpose_is_worth_nothing_for_another(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    started = await register(clients)
    code = await code_sent(shop, "mei@example.com")
    await session.execute(update(Verification).values(purpose="PASSWORD_RESET"))
    await session.commit()

    assert codes(await confirm(clients, started, code)) == ["CREDENTIALS_REFUSED"]
