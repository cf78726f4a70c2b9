"""Registration, sign-in, staff accounts and address books, through the API."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.attempts import FREE_ATTEMPTS, LOCK, LOCKED_FROM
from events.shop import Shop
from gateways.secrets import DUMMY_HASH
from models import Address, Role, Session, SignInFailures
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.account import PASSWORD, create_account, create_address
from tests.given import codes

SESSION = """session { accessToken refreshToken expiresAt account { id name email phone role } }
  userErrors { code field retryAfterSeconds }"""
SIGN_IN = f"mutation($input: SessionCreateInput!) {{ sessionCreate(input: $input) {{ {SESSION} }} }}"
REFRESH = f"mutation($input: SessionRefreshInput!) {{ sessionRefresh(input: $input) {{ {SESSION} }} }}"
SIGN_OUT = (
    "mutation($input: SessionRevokeInput!) { sessionRevoke(input: $input) { revoked userErrors { code } } }"
)
VIEWER = "{ viewer { role language currency account { email addresses { recipient isDefault } } } }"
SAVE_ADDRESS = """mutation($input: AddressSaveInput!) { addressSave(input: $input) {
  address { id recipient phone countryCode province isDefault } userErrors { code field } } }"""
REMOVE_ADDRESS = """mutation($input: AddressRemoveInput!) { addressRemove(input: $input) {
  account { addresses { recipient isDefault } } userErrors { code field } } }"""
STAFF_CREATE = """mutation($input: StaffCreateInput!) { staffCreate(input: $input) {
  account { name role email } userErrors { code field } } }"""
DISABLE = """mutation($input: AccountDisableInput!) { accountDisable(input: $input) {
  account { disabledAt } userErrors { code field } } }"""
ENABLE = """mutation($input: AccountEnableInput!) { accountEnable(input: $input) {
  account { disabledAt } userErrors { code field } } }"""

ADDRESS = {
    "recipient": "林梅",
    "phone": "138 0013 8000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "line1": "文三路 100 号",
}


def client_of(clients: Clients, payload: dict[str, Any]) -> Client:
    return clients.guest(Authorization=f"Bearer {payload['session']['accessToken']}")


async def count(shop: Shop, model: type[Any]) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def sign_in_mei(clients: Clients) -> dict[str, Any]:
    """A registered customer, mei@example.com, signs in."""
    async with clients.shop.database.writes.begin() as session:
        await create_account(session, email="mei@example.com")
    return await sign_in(clients, "mei@example.com")


async def sign_in(clients: Clients, login: str, password: str = PASSWORD) -> dict[str, Any]:
    return await clients.guest().do(SIGN_IN, login=login, password=password)


async def test_a_wrong_password_and_an_unknown_name_are_refused_alike(clients: Clients, shop: Shop) -> None:
    await sign_in_mei(clients)

    replies = [
        await sign_in(clients, "mei@example.com", "not the password"),
        await sign_in(clients, "nobody@example.com"),
        await sign_in(clients, "+8613800138001"),
        await sign_in(clients, "no login at all"),
    ]

    assert all(reply == replies[0] for reply in replies)
    assert codes(replies[0]) == ["CREDENTIALS_REFUSED"]
    assert await count(shop, Session) == 1


def test_an_unknown_login_takes_as_much_hashing_as_a_known_one() -> None:
    assert extract_parameters(DUMMY_HASH) == extract_parameters(PasswordHasher().hash("x"))


async def test_after_some_failures_each_try_must_wait_twice_as_long_and_then_a_quarter_of_an_hour(
    clients: Clients, clock: Clock
) -> None:
    await sign_in_mei(clients)
    waits = []

    for number in range(1, LOCKED_FROM + 1):
        assert codes(await sign_in(clients, "mei@example.com", "guess")) == ["CREDENTIALS_REFUSED"], number
        if number > FREE_ATTEMPTS:
            refused = await sign_in(clients, "mei@example.com")
            assert codes(refused) == ["LIMIT_REACHED"]
            waits.append(refused["userErrors"][0]["retryAfterSeconds"])
            clock.tick(timedelta(seconds=waits[-1] - 1))
            assert codes(await sign_in(clients, "mei@example.com")) == ["LIMIT_REACHED"]
            clock.tick(timedelta(seconds=1))

    assert waits == [2, 4, 8, 16, 32, LOCK.total_seconds()]
    assert codes(await sign_in(clients, "mei@example.com")) == []


async def test_the_guesses_of_a_stranger_never_keep_the_owner_out(
    clients: Clients, session: AsyncSession
) -> None:
    await sign_in_mei(clients)
    for _ in range(FREE_ATTEMPTS + 1):
        await sign_in(clients, "mei@example.com", "guess")
    assert codes(await sign_in(clients, "mei@example.com")) == ["LIMIT_REACHED"]

    await session.execute(update(SignInFailures).values(address="203.0.113.7"))
    await session.commit()

    assert codes(await sign_in(clients, "mei@example.com")) == []


async def test_a_sign_in_forgets_tries_that_count_no_more(
    clients: Clients, clock: Clock, session: AsyncSession
) -> None:
    await sign_in_mei(clients)
    for login in ("first@example.com", "second@example.com"):
        await sign_in(clients, login, "guess")
    clock.tick(LOCK)
    await sign_in(clients, "third@example.com", "guess")
    await sign_in(clients, "mei@example.com")

    assert list(await session.scalars(select(SignInFailures.login))) == ["third@example.com"]


async def test_thirty_sign_ins_at_once_are_counted_one_by_one(clients: Clients) -> None:
    await sign_in_mei(clients)

    replies = await asyncio.gather(*(sign_in(clients, "mei@example.com", "guess") for _ in range(30)))

    refused = [code for reply in replies for code in codes(reply)]
    assert refused.count("CREDENTIALS_REFUSED") == FREE_ATTEMPTS + 1
    assert refused.count("LIMIT_REACHED") == 30 - FREE_ATTEMPTS - 1


async def test_a_successful_sign_in_resets_the_count(clients: Clients) -> None:
    await sign_in_mei(clients)
    for _ in range(3):
        for _ in range(FREE_ATTEMPTS):
            await sign_in(clients, "mei@example.com", "guess")
        assert codes(await sign_in(clients, "mei@example.com")) == []


async def test_each_refresh_token_is_valid_once_and_returns_the_next(clients: Clients, clock: Clock) -> None:
    first = (await sign_in_mei(clients))["session"]
    clock.tick(timedelta(minutes=20))

    second = (await clients.guest().do(REFRESH, refreshToken=first["refreshToken"]))["session"]
    third = (await clients.guest().do(REFRESH, refreshToken=second["refreshToken"]))["session"]

    assert len({first["refreshToken"], second["refreshToken"], third["refreshToken"]}) == 3
    assert third["account"]["email"] == "mei@example.com"
    viewer = await clients.guest(Authorization=f"Bearer {third['accessToken']}").get(VIEWER)
    assert viewer["viewer"]["role"] == "CUSTOMER"


async def test_a_refresh_token_used_twice_ends_the_whole_sign_in(clients: Clients) -> None:
    stolen = (await sign_in_mei(clients))["session"]["refreshToken"]
    other = (await sign_in(clients, "mei@example.com"))["session"]["refreshToken"]
    newest = (await clients.guest().do(REFRESH, refreshToken=stolen))["session"]["refreshToken"]

    assert codes(await clients.guest().do(REFRESH, refreshToken=stolen)) == ["CREDENTIALS_REFUSED"]

    assert codes(await clients.guest().do(REFRESH, refreshToken=newest)) == ["CREDENTIALS_REFUSED"]
    assert codes(await clients.guest().do(REFRESH, refreshToken=other)) == []


async def test_of_two_refreshes_at_once_one_is_refused_and_ends_the_sign_in(clients: Clients) -> None:
    token = (await sign_in_mei(clients))["session"]["refreshToken"]

    replies = await asyncio.gather(*(clients.guest().do(REFRESH, refreshToken=token) for _ in range(2)))

    assert sorted(codes(reply) for reply in replies) == [[], ["CREDENTIALS_REFUSED"]]
    won = next(reply["session"] for reply in replies if reply["session"])
    assert codes(await clients.guest().do(REFRESH, refreshToken=won["refreshToken"])) == [
        "CREDENTIALS_REFUSED"
    ]


async def test_an_expired_or_invented_refresh_token_is_refused(clients: Clients, clock: Clock) -> None:
    token = (await sign_in_mei(clients))["session"]["refreshToken"]
    clock.tick(timedelta(days=30))

    assert codes(await clients.guest().do(REFRESH, refreshToken=token)) == ["CREDENTIALS_REFUSED"]
    assert codes(await clients.guest().do(REFRESH, refreshToken="invented")) == ["CREDENTIALS_REFUSED"]


async def test_signing_out_ends_the_sign_in_and_can_be_repeated(clients: Clients) -> None:
    token = (await sign_in_mei(clients))["session"]["refreshToken"]
    newest = (await clients.guest().do(REFRESH, refreshToken=token))["session"]["refreshToken"]

    for _ in range(2):
        assert await clients.guest().do(SIGN_OUT, refreshToken=token) == {"revoked": True, "userErrors": []}

    assert codes(await clients.guest().do(REFRESH, refreshToken=newest)) == ["CREDENTIALS_REFUSED"]
    assert codes(await clients.guest().do(SIGN_OUT, refreshToken="invented")) == ["CREDENTIALS_REFUSED"]


async def test_a_disabled_account_cannot_sign_in_until_it_is_enabled(clients: Clients, shop: Shop) -> None:
    session = (await sign_in_mei(clients))["session"]
    admin = await clients.staff(Role.ADMIN)

    disabled = await admin.do(DISABLE, id=session["account"]["id"])

    assert disabled["account"]["disabledAt"] is not None
    assert codes(await sign_in(clients, "mei@example.com")) == ["CREDENTIALS_REFUSED"]
    assert codes(await clients.guest().do(REFRESH, refreshToken=session["refreshToken"])) == [
        "CREDENTIALS_REFUSED"
    ]
    await admin.do(ENABLE, id=session["account"]["id"])
    assert codes(await sign_in(clients, "mei@example.com")) == []


async def test_an_admin_cannot_disable_themself(clients: Clients) -> None:
    admin = await clients.staff(Role.ADMIN)
    assert admin.account
    payload = await admin.do(DISABLE, id=global_id("Account", admin.account.id))
    assert codes(payload) == ["WRONG_STATE"]


async def test_an_admin_creates_accounts_for_staff_roles_only(clients: Clients) -> None:
    admin = await clients.staff(Role.ADMIN)
    given = {"name": "Wang Wei", "email": "wei@example.com", "password": PASSWORD}

    refused = await admin.do(STAFF_CREATE, role="CUSTOMER", **given)
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("INVALID", ["role"])]

    made = await admin.do(STAFF_CREATE, role="WAREHOUSE", **given)
    assert made["account"] == {"name": "Wang Wei", "role": "WAREHOUSE", "email": "wei@example.com"}
    session = (await sign_in(clients, "wei@example.com"))["session"]
    assert session["account"]["role"] == "WAREHOUSE"


async def test_a_guest_is_a_viewer_without_an_account(clients: Clients) -> None:
    viewer = await clients.guest(**{"Accept-Language": "fr, zh-TW;q=0.8, en;q=0.5", "X-Currency": "usd"}).get(
        VIEWER
    )

    assert viewer["viewer"] == {"role": "GUEST", "language": "zh-TW", "currency": "USD", "account": None}


async def test_the_first_address_is_the_default_until_another_is(clients: Clients) -> None:
    customer = await clients.customer()

    first = await customer.do(SAVE_ADDRESS, address=ADDRESS)
    await customer.do(SAVE_ADDRESS, address=ADDRESS | {"recipient": "二"})
    third = await customer.do(SAVE_ADDRESS, address=ADDRESS | {"recipient": "三"}, isDefault=True)
    again = await customer.do(SAVE_ADDRESS, address=ADDRESS, id=third["address"]["id"], isDefault=False)

    assert first["address"] | {"id": ""} == {
        "id": "",
        "recipient": "林梅",
        "phone": "+8613800138000",
        "countryCode": "CN",
        "province": "浙江省",
        "isDefault": True,
    }
    assert again["address"]["isDefault"] is True
    book = (await customer.get(VIEWER))["viewer"]["account"]["addresses"]
    assert [entry["isDefault"] for entry in book] == [True, False, False]


async def test_when_the_default_is_removed_the_newest_becomes_the_default(clients: Clients) -> None:
    customer = await clients.customer()
    default = (await customer.do(SAVE_ADDRESS, address=ADDRESS))["address"]["id"]
    await customer.do(SAVE_ADDRESS, address=ADDRESS | {"recipient": "二"})
    await customer.do(SAVE_ADDRESS, address=ADDRESS | {"recipient": "三"})

    payload = await customer.do(REMOVE_ADDRESS, id=default)

    assert payload["account"]["addresses"] == [
        {"recipient": "三", "isDefault": True},
        {"recipient": "二", "isDefault": False},
    ]


async def test_saves_at_once_leave_exactly_one_default(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()

    await asyncio.gather(*(customer.do(SAVE_ADDRESS, address=ADDRESS, isDefault=True) for _ in range(8)))

    async with shop.database.reads() as session:
        defaults = [address.is_default for address in await session.scalars(select(Address))]
    assert sorted(defaults) == [False] * 7 + [True]


async def test_a_refused_address_names_the_wrong_part(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    wrong = [
        ({"province": ""}, "province"),
        ({"city": " "}, "city"),
        ({"district": ""}, "district"),
        ({"line1": ""}, "line1"),
        ({"recipient": ""}, "recipient"),
        ({"phone": "110"}, "phone"),
        ({"countryCode": "ZZ"}, "countryCode"),
        ({"line2": "x" * 201}, "line2"),
    ]
    for change, field in wrong:
        payload = await customer.do(SAVE_ADDRESS, address=ADDRESS | change)
        assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [("INVALID", ["address", field])]
    assert await count(shop, Address) == 0

    abroad = {
        "recipient": "Ann",
        "phone": "020 7946 0000",
        "countryCode": "gb",
        "city": "London",
        "postalCode": "SW1A 2HE",
        "line1": "1 Mall",
    }
    saved = (await customer.do(SAVE_ADDRESS, address=abroad))["address"]
    assert (saved["countryCode"], saved["phone"]) == ("GB", "+442079460000")


async def test_an_address_book_has_a_limit(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    customer = await clients.customer()
    assert customer.account
    for _ in range(50):
        await create_address(session, customer.account)
    await session.commit()

    assert codes(await customer.do(SAVE_ADDRESS, address=ADDRESS)) == ["LIMIT_REACHED"]
    assert await count(shop, Address) == 50


async def test_somebody_elses_address_is_answered_like_one_that_does_not_exist(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    other = await create_account(session)
    address = await create_address(session, other, recipient="王五")
    await session.commit()
    foreign, missing = global_id("Address", address.id), global_id("Address", 999_999)

    for document, given in ((SAVE_ADDRESS, {"address": ADDRESS}), (REMOVE_ADDRESS, {})):
        replies = [await customer.do(document, id=id_, **given) for id_ in (foreign, missing)]
        assert replies[0] == replies[1]
        assert codes(replies[0]) == ["NOT_FOUND"]
    assert [a.recipient for a in await session.scalars(select(Address))] == ["王五"]
    await session.commit()


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("mutation ($input: SessionCreateInput!) { %s }", {"input": {"password": "hunter2hunter2"}}),
        ("mutation ($input: SessionCreateInput!) { %s }", {"input": ["hunter2hunter2", 5]}),
        ('mutation { sessionCreate(input: {password: "hunter2hunter2"}) { session { expiresAt } } }', {}),
        ('mutation { sessionCreate(input: {login: 1, password: "hunter2hunter2"}) { __typename } }', {}),
    ],
)
async def test_a_mistyped_sign_in_does_not_repeat_the_password(
    clients: Clients, document: str, variables: dict[str, Any]
) -> None:
    call = "sessionCreate(input: $input) { session { expiresAt } }"

    answer = await clients.guest().ask(document.replace("%s", call), **variables)

    assert answer["errors"]
    assert "hunter2" not in json.dumps(answer)
