"""Second factors: an authenticator app, its recovery codes, and staff that must have one."""

import asyncio
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.totp import SecretUnreadable, decrypt_secret, encrypt_secret
from models import NoticeKind, RecoveryCode, Role, TotpSecret
from resolvers.ids import global_id
from tests.api.test_account import REFRESH, client_of
from tests.api.test_account_owner import RESET as PASSWORD_RESET
from tests.api.test_account_owner import START_RESET
from tests.api.test_sign_ins import status_of
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.account import PASSWORD, create_account
from tests.given import codes
from tests.notices import code_sent, send_notices

ENROL = """mutation($input: TotpEnrolInput!) { totpEnrol(input: $input) {
  totpEnrolment { secret uri } userErrors { code field } } }"""
CONFIRM = """mutation($input: TotpConfirmInput!) { totpConfirm(input: $input) {
  recoveryCodes { codes } userErrors { code field } } }"""
REMOVE = """mutation($input: TotpRemoveInput!) { totpRemove(input: $input) {
  account { secondFactorSince } userErrors { code field } } }"""
RENEW = """mutation($input: RecoveryCodesRenewInput!) { recoveryCodesRenew(input: $input) {
  recoveryCodes { codes } userErrors { code field } } }"""
RESET = """mutation($input: StaffTotpResetInput!) { staffTotpReset(input: $input) {
  account { id } userErrors { code field } } }"""
SIGN_IN = """mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
  session { accessToken refreshToken } userErrors { code field } } }"""
SINCE = "{ viewer { account { secondFactorSince } } }"
REFUNDS = "{ refunds(first: 1) { nodes { id } } }"


class App:
    """An authenticator app in somebody's hand."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self.totp, self.clock = pyotp.TOTP(secret), clock

    def code(self, *, steps: int = 0) -> str:
        return self.totp.generate_otp(int(self.clock().timestamp()) // 30 + steps)


async def enrol(client: Client, clock: Clock) -> tuple[App, list[str]]:
    """Set up an app; return it with the recovery codes. The clock is one step ahead afterwards."""
    enrolment = (await client.do(ENROL, password=PASSWORD))["totpEnrolment"]
    app = App(enrolment["secret"], clock)
    payload = await client.do(CONFIRM, code=app.code())
    assert codes(payload) == []
    clock.tick(timedelta(seconds=30))
    return app, payload["recoveryCodes"]["codes"]


@pytest.fixture
async def manager(clients: Clients, session: AsyncSession) -> Client:
    account = await create_account(session, role=Role.MANAGER, email="manager@example.com")
    await session.commit()
    return await clients.staff(Role.MANAGER, account)


async def sign_in(clients: Clients, **terms: Any) -> dict[str, Any]:
    given = {"login": "manager@example.com", "password": PASSWORD} | terms
    return await clients.guest().do(SIGN_IN, **given)


async def test_after_the_first_right_code_one_is_asked_for_at_each_sign_in(
    clients: Clients, manager: Client, clock: Clock, shop: Shop
) -> None:
    enrolled_at = clock()
    app, recovery_codes = await enrol(manager, clock)

    assert len(set(recovery_codes)) == 10
    since = (await manager.get(SINCE))["viewer"]["account"]["secondFactorSince"]
    assert since == enrolled_at.isoformat()
    assert codes(await sign_in(clients)) == ["SECOND_FACTOR_REQUIRED"]
    assert codes(await sign_in(clients, secondFactor=app.code(steps=40))) == ["CREDENTIALS_REFUSED"]
    assert codes(await sign_in(clients, secondFactor=app.code())) == []
    (message,) = await send_notices(shop)
    assert message.kind is NoticeKind.SECOND_FACTOR_CHANGED


async def test_before_it_is_confirmed_an_app_is_not_asked_for_and_can_be_set_up_again(
    clients: Clients, manager: Client, clock: Clock
) -> None:
    first = (await manager.do(ENROL, password=PASSWORD))["totpEnrolment"]
    second = (await manager.do(ENROL, password=PASSWORD))["totpEnrolment"]

    assert codes(await manager.do(CONFIRM, code=App(first["secret"], clock).code())) == [
        "CREDENTIALS_REFUSED"
    ]
    assert codes(await sign_in(clients)) == []
    assert codes(await manager.do(CONFIRM, code=App(second["secret"], clock).code())) == []
    assert codes(await manager.do(ENROL, password=PASSWORD)) == ["WRONG_STATE"]
    assert second["uri"].startswith("otpauth://totp/Cartwheel:manager%40example.com?secret=")


async def test_a_code_of_the_app_is_accepted_once(clients: Clients, manager: Client, clock: Clock) -> None:
    app, _ = await enrol(manager, clock)
    code = app.code()

    replies = await asyncio.gather(*(sign_in(clients, secondFactor=code) for _ in range(3)))

    assert sorted(codes(reply) for reply in replies) == [[], *[["CREDENTIALS_REFUSED"]] * 2]
    assert codes(await sign_in(clients, secondFactor=app.code(steps=-1))) == ["CREDENTIALS_REFUSED"]
    clock.tick(timedelta(seconds=30))
    assert codes(await sign_in(clients, secondFactor=app.code())) == []


async def test_the_clock_of_a_phone_may_be_half_a_minute_off(
    clients: Clients, manager: Client, clock: Clock
) -> None:
    app, _ = await enrol(manager, clock)

    assert codes(await sign_in(clients, secondFactor=app.code(steps=2))) == ["CREDENTIALS_REFUSED"]
    assert codes(await sign_in(clients, secondFactor=app.code(steps=1))) == []


async def test_a_recovery_code_stands_in_for_the_app_once(
    clients: Clients, manager: Client, clock: Clock
) -> None:
    _, recovery_codes = await enrol(manager, clock)
    typed = recovery_codes[0].upper().replace("-", " ")

    assert codes(await sign_in(clients, secondFactor=typed)) == []
    assert codes(await sign_in(clients, secondFactor=recovery_codes[0])) == ["CREDENTIALS_REFUSED"]
    assert codes(await sign_in(clients, secondFactor=recovery_codes[1])) == []


async def test_ten_codes_can_be_tried_in_a_quarter_of_an_hour_from_all_addresses_together(
    clients: Clients, manager: Client, clock: Clock, shop: Shop
) -> None:
    await enrol(manager, clock)
    refused = []
    for _ in range(10):
        refused += codes(await sign_in(clients, secondFactor="000000"))
        clock.tick(timedelta(minutes=15))

    assert refused.count("CREDENTIALS_REFUSED") == 9
    assert refused.count("LIMIT_REACHED") == 1


async def test_new_recovery_codes_replace_the_old_ones(
    clients: Clients, manager: Client, clock: Clock
) -> None:
    app, old = await enrol(manager, clock)
    assert codes(await manager.do(RENEW, password=PASSWORD, secondFactor="000000")) == ["CREDENTIALS_REFUSED"]

    payload = await manager.do(RENEW, password=PASSWORD, secondFactor=app.code())

    assert codes(await sign_in(clients, secondFactor=old[0])) == ["CREDENTIALS_REFUSED"]
    assert codes(await sign_in(clients, secondFactor=payload["recoveryCodes"]["codes"][0])) == []


async def test_removing_the_app_takes_password_and_code(
    clients: Clients, manager: Client, clock: Clock, session: AsyncSession
) -> None:
    app, _ = await enrol(manager, clock)
    assert codes(await manager.do(REMOVE, password="wrong guess", secondFactor=app.code())) == [
        "CREDENTIALS_REFUSED"
    ]
    assert codes(await manager.do(REMOVE, password=PASSWORD, secondFactor="")) == ["SECOND_FACTOR_REQUIRED"]

    payload = await manager.do(REMOVE, password=PASSWORD, secondFactor=app.code())

    assert payload == {"account": {"secondFactorSince": None}, "userErrors": []}
    assert codes(await sign_in(clients)) == []
    assert (await session.scalars(select(RecoveryCode))).all() == []


async def test_neither_the_secret_nor_a_recovery_code_stands_in_the_database(
    manager: Client, clock: Clock, session: AsyncSession
) -> None:
    app, recovery_codes = await enrol(manager, clock)

    secret = (await session.scalars(select(TotpSecret))).one()
    stored = {row.code_hash for row in await session.scalars(select(RecoveryCode))}

    assert app.totp.secret not in str(vars(secret))
    assert not stored & set(recovery_codes)


async def test_a_reset_password_does_not_open_an_account_with_a_second_factor(
    clients: Clients, manager: Client, clock: Clock, shop: Shop
) -> None:
    await enrol(manager, clock)
    started = await clients.guest().do(START_RESET, contact="manager@example.com")
    code = await code_sent(shop, "manager@example.com")
    terms = {"token": started["verification"]["token"], "code": code, "newPassword": "a new password"}
    assert codes(await clients.guest().do(PASSWORD_RESET, **terms)) == []

    assert codes(await sign_in(clients, password="a new password")) == ["SECOND_FACTOR_REQUIRED"]


async def test_an_administrator_takes_the_second_factor_from_who_has_lost_it_but_not_from_themself(
    clients: Clients, manager: Client, clock: Clock
) -> None:
    await enrol(manager, clock)
    admin = await clients.staff(Role.ADMIN)
    assert manager.account
    assert admin.account

    payload = await admin.do(RESET, id=global_id("Account", manager.account.id))

    assert codes(payload) == []
    assert await status_of(manager) == 401
    assert codes(await sign_in(clients)) == []
    assert codes(await admin.do(RESET, id=global_id("Account", admin.account.id))) == ["WRONG_STATE"]


@pytest.fixture
def required(shop: Shop) -> None:
    """The shop requires a second factor of its staff."""
    accounts = shop.settings.accounts.model_copy(update={"totp_required": True})
    shop.settings = shop.settings.model_copy(update={"accounts": accounts})
    shop.session_rights.totp_required = True


@pytest.mark.usefixtures("required")
async def test_staff_without_a_second_factor_may_only_enrol_where_one_is_required(
    clients: Clients, manager: Client, clock: Clock
) -> None:
    reply = await manager.ask(REFUNDS)
    assert [error["extensions"]["code"] for error in reply["errors"]] == ["SECOND_FACTOR_REQUIRED"]
    session = (await sign_in(clients))["session"]
    fresh = clients.guest(Authorization=f"Bearer {session['accessToken']}")
    assert "errors" in await fresh.ask(REFUNDS)

    app, _ = await enrol(manager, clock)

    assert (await manager.get(REFUNDS))["refunds"] == {"nodes": []}
    assert (await fresh.get(REFUNDS))["refunds"] == {"nodes": []}
    assert codes(await manager.do(REMOVE, password=PASSWORD, secondFactor=app.code())) == ["WRONG_STATE"]


@pytest.mark.usefixtures("required", "manager")
async def test_not_even_the_request_that_signs_in_may_do_more_without_a_second_factor(
    clients: Clients,
) -> None:
    both = """mutation($input: SessionCreateInput!) {
      sessionCreate(input: $input) { session { refreshToken } userErrors { code } }
      signInEnd(input: {id: "x"}) { userErrors { code } } }"""
    reply = await clients.guest().get(both, input={"login": "manager@example.com", "password": PASSWORD})
    assert codes(reply["signInEnd"]) == ["SECOND_FACTOR_REQUIRED"]

    again = """mutation($input: SessionRefreshInput!) {
      sessionRefresh(input: $input) { userErrors { code } }
      signInEnd(input: {id: "x"}) { userErrors { code } } }"""
    token = reply["sessionCreate"]["session"]["refreshToken"]
    reply = await clients.guest().get(again, input={"refreshToken": token})
    assert codes(reply["signInEnd"]) == ["SECOND_FACTOR_REQUIRED"]


@pytest.mark.usefixtures("required")
async def test_a_customer_needs_no_second_factor(clients: Clients) -> None:
    customer = await clients.customer()
    assert (await customer.get("{ cart { id } }")) == {"cart": None}


async def test_a_refreshed_sign_in_is_not_asked_again(
    clients: Clients, manager: Client, clock: Clock
) -> None:
    app, _ = await enrol(manager, clock)
    session = (await sign_in(clients, secondFactor=app.code()))["session"]

    refreshed = await clients.guest().do(REFRESH, refreshToken=session["refreshToken"])

    assert await status_of(client_of(clients, refreshed)) == 200


async def test_with_a_new_key_secrets_are_read_as_long_as_the_old_one_is_listed(
    clients: Clients, manager: Client, clock: Clock, shop: Shop
) -> None:
    app, _ = await enrol(manager, clock)
    old, new = shop.settings.signing_key(), SecretStr("a new secret for tests only, long enough")
    tokens = shop.settings.tokens.model_copy(update={"secret_key": new, "old_secret_key": SecretStr(old)})
    shop.settings = shop.settings.model_copy(update={"tokens": tokens})

    assert codes(await sign_in(clients, secondFactor=app.code())) == []


def test_a_secret_is_unreadable_without_its_key() -> None:
    encrypted = encrypt_secret(["one key"], "JBSWY3DPEHPK3PXP")
    assert decrypt_secret(["another key", "one key"], encrypted) == "JBSWY3DPEHPK3PXP"
    with pytest.raises(SecretUnreadable):
        decrypt_secret(["another key"], encrypted)
