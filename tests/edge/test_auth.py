"""The viewer as the request headers name them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from edge.auth import CredentialsRefused, viewer_of
from events.shop import Shop
from gateways.secrets import Secrets
from gateways.tokens import (
    AccessToken,
    TokenRefused,
    is_cart_token,
    read_token,
    write_cart_token,
    write_token,
)
from models import CurrencyCode, Role
from settings import Settings
from tests.clients import Clients
from tests.conftest import SECRET, STARTED_AT, Clock, read_settings
from tests.factories.account import create_account
from tests.factories.token import new_cart_token, sign_in_account
from tests.observe import count_statements

TOKEN = AccessToken(7, Role.SUPPORT, "family", STARTED_AT + timedelta(minutes=15))


def test_a_token_is_valid_until_it_expires() -> None:
    text = write_token(SECRET, TOKEN, now=STARTED_AT)

    assert read_token([SECRET], text, now=STARTED_AT + timedelta(minutes=14, seconds=59)) == TOKEN
    with pytest.raises(TokenRefused):
        read_token([SECRET], text, now=STARTED_AT + timedelta(minutes=15))


def test_a_token_of_another_key_or_algorithm_or_issuer_is_refused() -> None:
    valid = write_token(SECRET, TOKEN, now=STARTED_AT)
    head, body, signature = valid.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    for text in (
        write_token("another key, also long enough to sign", TOKEN, now=STARTED_AT),
        f"{unsigned}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}",
        "",
        "é" * 10,
        "x" * 100_000,
    ):
        with pytest.raises(TokenRefused):
            read_token([SECRET], text, now=STARTED_AT)


def test_a_token_signed_with_an_old_key_is_valid_as_long_as_the_key_is_known() -> None:
    old, new = "the key of last year, long enough as well", SECRET
    access, cart = write_token(old, TOKEN, now=STARTED_AT), write_cart_token(old, Secrets().new_token())

    assert read_token([new, old], access, now=STARTED_AT) == TOKEN
    assert is_cart_token([new, old], cart)
    with pytest.raises(TokenRefused):
        read_token([new], access, now=STARTED_AT)
    assert not is_cart_token([new], cart)


async def test_a_rotated_key_keeps_carts_and_sign_ins_when_the_old_one_is_known(
    shop: Shop, settings: Settings
) -> None:
    old, new = settings.signing_key(), "a new secret for tests only, long enough"
    token = new_cart_token(shop)
    for old_key, found in ((old, token), (new, None), ("", None)):
        changed = read_settings(settings.database.url, secret_key=new, old_secret_key=old_key)
        rotated = replace(shop, settings=changed)
        assert (await viewer_of({"x-cart-token": token}, rotated)).cart_token == found


async def test_a_viewer_without_credentials_is_a_guest(shop: Shop) -> None:
    token = new_cart_token(shop)

    viewer = await viewer_of({"x-cart-token": token}, shop)

    assert (viewer.role, viewer.account_id, viewer.cart_token) == (Role.GUEST, None, token)


async def test_what_a_sign_in_may_do_is_looked_up_once_and_then_remembered_for_a_moment(
    shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    account = await create_account(session, role=Role.WAREHOUSE)
    await session.commit()
    headers = {"authorization": f"bearer {await sign_in_account(shop, account)}"}
    shop.session_rights.forget_all()

    with count_statements(shop) as sent:
        viewers = [await viewer_of(headers, shop) for _ in range(3)]
        clock.tick(shop.settings.accounts.rights_lifetime)
        viewers.append(await viewer_of(headers, shop))

    assert {(viewer.role, viewer.account_id) for viewer in viewers} == {(Role.WAREHOUSE, account.id)}
    assert sent.total == 2


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer nonsense", "Basic bWVpOnB3", "nonsense"]
)
async def test_malformed_credentials_are_refused_and_not_served_as_a_guest(
    shop: Shop, authorization: str
) -> None:
    with pytest.raises(CredentialsRefused):
        await viewer_of({"authorization": authorization}, shop)


async def test_an_expired_token_is_answered_401_and_unauthenticated(clients: Clients, clock: Clock) -> None:
    customer = await clients.customer()
    clock.tick(timedelta(minutes=15))

    reply = await customer.post("{ viewer { role } }")

    assert reply.status_code == 401
    assert [error["extensions"]["code"] for error in reply.json()["errors"]] == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh-CN", "zh-CN"),
        ("fr, zh-TW;q=0.8, en;q=0.5", "zh-TW"),
        ("en;q=0.2, zh;q=0.9", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("fr, de", "en"),
        ("*", "en"),
        ("zh;q=high, en-GB", "en-GB"),
        ("EN-us;q=0.9, zh;q=0.1", "en-US"),
        (";;,,zh;q=nan", "en"),
    ],
)
async def test_the_language_is_the_preferred_one_that_the_shop_has(
    shop: Shop, accepted: str, language: str
) -> None:
    assert (await viewer_of({"accept-language": accepted}, shop)).language == language


@pytest.mark.parametrize(
    ("code", "currency"), [("usd", CurrencyCode.USD), ("", CurrencyCode.CNY), ("XXX", CurrencyCode.CNY)]
)
async def test_the_currency_is_the_requested_one_if_the_shop_has_it(
    shop: Shop, code: str, currency: CurrencyCode
) -> None:
    assert (await viewer_of({"x-currency": code}, shop)).currency is currency
