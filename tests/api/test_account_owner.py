"""What owners change of their accounts: name, language, contacts and password."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notice import NoticeDraft, queue_notice
from events.shop import Shop
from models import Account, DeviceToken, NoticeChannel, NoticeKind
from tests.api.test_account import REFRESH, client_of, sign_in, sign_in_mei
from tests.api.test_sign_ins import END_OTHERS, status_of
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.account import PASSWORD, create_account
from tests.given import codes
from tests.notices import code_sent, send_notices
from tests.observe import count_statements, read_all_rows

UPDATE = """mutation($input: AccountUpdateInput!) { accountUpdate(input: $input) {
  account { name language } userErrors { code field } } }"""
CHANGE_CONTACT = """mutation($input: ContactChangeInput!) { contactChange(input: $input) {
  verification { token } userErrors { code field } } }"""
VERIFY = """mutation($input: ContactVerifyInput!) { contactVerify(input: $input) {
  account { email phone emailVerifiedAt phoneVerifiedAt } userErrors { code field } } }"""
CHANGE_PASSWORD = """mutation($input: PasswordChangeInput!) { passwordChange(input: $input) {
  account { id } userErrors { code field } } }"""
START_RESET = """mutation($input: PasswordResetStartInput!) { passwordResetStart(input: $input) {
  verification { token } userErrors { code field } } }"""
RESET = """mutation($input: PasswordResetInput!) { passwordReset(input: $input) {
  resetAt userErrors { code field } } }"""
REGISTER_DEVICE = """mutation($input: DeviceTokenRegisterInput!) { deviceTokenRegister(input: $input) {
  signIn { isCurrent getsPushNotices } userErrors { code field } } }"""
REMOVE_DEVICE = "mutation { deviceTokenRemove { signIn { getsPushNotices } userErrors { code } } }"

NEW_PASSWORD = "another horse battery"


@pytest.fixture
async def mei(clients: Clients) -> Client:
    return client_of(clients, await sign_in_mei(clients))


async def test_the_owner_changes_name_and_language_with_the_password(mei: Client) -> None:
    payload = await mei.do(UPDATE, password=PASSWORD, name=" Lin  Mei Li ", language="ZH-cn")
    assert payload == {"account": {"name": "Lin Mei Li", "language": "zh-CN"}, "userErrors": []}

    assert (await mei.do(UPDATE, password=PASSWORD, name="Mei"))["account"] == {
        "name": "Mei",
        "language": "zh-CN",
    }


async def test_without_the_right_password_nothing_is_changed(
    mei: Client, shop: Shop, session: AsyncSession
) -> None:
    before = (await session.scalars(select(Account))).one()
    await session.commit()
    changes: list[tuple[str, dict[str, Any]]] = [
        (UPDATE, {"name": "Thief"}),
        (CHANGE_CONTACT, {"contact": "thief@example.com"}),
        (CHANGE_PASSWORD, {"newPassword": NEW_PASSWORD}),
    ]
    for document, terms in changes:
        payload = await mei.do(document, password="a wrong guess", **terms)
        assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [
            ("CREDENTIALS_REFUSED", ["password"])
        ]
    after = (await session.scalars(select(Account))).one()
    assert (after.name, after.email, after.password_hash) == (before.name, before.email, before.password_hash)
    assert await send_notices(shop) == []


async def test_guesses_of_the_password_from_a_stolen_session_must_wait(mei: Client) -> None:
    for _ in range(5):
        await mei.do(UPDATE, password="a wrong guess", name="Thief")

    assert codes(await mei.do(UPDATE, password=PASSWORD, name="Mei")) == ["LIMIT_REACHED"]


async def test_a_language_the_shop_does_not_have_is_refused(mei: Client) -> None:
    payload = await mei.do(UPDATE, password=PASSWORD, language="fr")
    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [("INVALID", ["language"])]


async def test_another_email_address_counts_once_its_code_was_entered_and_the_former_one_is_told(
    clients: Clients, mei: Client, shop: Shop, clock: Clock
) -> None:
    started = await mei.do(CHANGE_CONTACT, contact="Li@example.com", password=PASSWORD)
    code = await code_sent(shop, "li@example.com")
    assert codes(await sign_in(clients, "li@example.com")) == ["CREDENTIALS_REFUSED"]

    payload = await mei.do(VERIFY, token=started["verification"]["token"], code=code)

    assert payload["account"] == {
        "email": "li@example.com",
        "phone": None,
        "emailVerifiedAt": clock().isoformat(),
        "phoneVerifiedAt": None,
    }
    (message,) = await send_notices(shop)
    assert (message.recipient, message.kind) == ("mei@example.com", NoticeKind.CONTACT_CHANGED)
    assert "li@example.com" not in message.body
    assert codes(await sign_in(clients, "li@example.com")) == []
    assert codes(await sign_in(clients, "mei@example.com")) == ["CREDENTIALS_REFUSED"]


async def test_ones_own_address_is_verified_and_nobody_is_told(mei: Client, shop: Shop, clock: Clock) -> None:
    started = await mei.do(CHANGE_CONTACT, contact="mei@example.com", password=PASSWORD)
    code = await code_sent(shop, "mei@example.com")

    payload = await mei.do(VERIFY, token=started["verification"]["token"], code=code)

    assert payload["account"]["emailVerifiedAt"] == clock().isoformat()
    assert await send_notices(shop) == []


async def test_a_phone_number_is_added_and_signs_in(clients: Clients, mei: Client, shop: Shop) -> None:
    started = await mei.do(CHANGE_CONTACT, contact="138 0013 8000", password=PASSWORD)
    code = await code_sent(shop, "+8613800138000")

    payload = await mei.do(VERIFY, token=started["verification"]["token"], code=code)

    assert (payload["account"]["email"], payload["account"]["phone"]) == ("mei@example.com", "+8613800138000")
    assert codes(await sign_in(clients, "13800138000")) == []


async def test_the_address_of_another_account_is_never_taken_over_and_the_answer_does_not_tell(
    clients: Clients, mei: Client, shop: Shop, session: AsyncSession
) -> None:
    await create_account(session, email="other@example.com")
    await session.commit()
    assert await status_of(mei) == 200

    with count_statements(shop) as known:
        taken = await mei.do(CHANGE_CONTACT, contact="other@example.com", password=PASSWORD)
    with count_statements(shop) as unknown:
        free = await mei.do(CHANGE_CONTACT, contact="free@example.com", password=PASSWORD)

    assert (taken["userErrors"], known.texts) == (free["userErrors"], unknown.texts)
    messages = {message.recipient: message for message in await send_notices(shop)}
    assert messages["other@example.com"].title == "This address has an account already"
    assert codes(await mei.do(VERIFY, token=taken["verification"]["token"], code="000000")) == [
        "CREDENTIALS_REFUSED"
    ]


async def test_an_address_that_somebody_took_meanwhile_is_refused_like_a_wrong_code(
    mei: Client, shop: Shop, session: AsyncSession
) -> None:
    started = await mei.do(CHANGE_CONTACT, contact="li@example.com", password=PASSWORD)
    code = await code_sent(shop, "li@example.com")
    await create_account(session, email="li@example.com")
    await session.commit()

    payload = await mei.do(VERIFY, token=started["verification"]["token"], code=code)

    assert codes(payload) == ["CREDENTIALS_REFUSED"]
    emails = await session.scalars(select(Account.email).order_by(Account.email))
    assert emails.all() == ["li@example.com", "mei@example.com"]


async def test_a_code_changes_only_the_account_that_asked_for_it(
    clients: Clients, mei: Client, shop: Shop
) -> None:
    started = await mei.do(CHANGE_CONTACT, contact="li@example.com", password=PASSWORD)
    code = await code_sent(shop, "li@example.com")
    stranger = await clients.customer()

    payload = await stranger.do(VERIFY, token=started["verification"]["token"], code=code)

    assert codes(payload) == ["CREDENTIALS_REFUSED"]


async def test_a_changed_password_ends_all_other_sign_ins_and_is_told(
    clients: Clients, mei: Client, shop: Shop
) -> None:
    other = await sign_in(clients, "mei@example.com")

    payload = await mei.do(CHANGE_PASSWORD, password=PASSWORD, newPassword=NEW_PASSWORD)

    assert codes(payload) == []
    assert [await status_of(each) for each in (mei, client_of(clients, other))] == [200, 401]
    refreshed = await clients.guest().do(REFRESH, refreshToken=other["session"]["refreshToken"])
    assert codes(refreshed) == ["CREDENTIALS_REFUSED"]
    assert codes(await sign_in(clients, "mei@example.com")) == ["CREDENTIALS_REFUSED"]
    assert codes(await sign_in(clients, "mei@example.com", NEW_PASSWORD)) == []
    (message,) = await send_notices(shop)
    assert (message.recipient, message.kind) == ("mei@example.com", NoticeKind.PASSWORD_CHANGED)


async def test_a_new_password_that_is_too_short_is_refused(mei: Client) -> None:
    payload = await mei.do(CHANGE_PASSWORD, password=PASSWORD, newPassword="short")
    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [("INVALID", ["newPassword"])]


async def test_a_forgotten_password_is_reset_by_a_code_and_ends_every_sign_in(
    clients: Clients, mei: Client, shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    for _ in range(6):
        await sign_in(clients, "mei@example.com", "a wrong guess")
    started = await clients.guest().do(START_RESET, contact="mei@example.com")
    code = await code_sent(shop, "mei@example.com")
    terms = {"token": started["verification"]["token"], "code": code, "newPassword": NEW_PASSWORD}

    payload = await clients.guest().do(RESET, **terms)

    assert payload == {"resetAt": clock().isoformat(), "userErrors": []}
    assert await status_of(mei) == 401
    assert codes(await sign_in(clients, "mei@example.com", NEW_PASSWORD)) == []
    assert codes(await clients.guest().do(RESET, **terms)) == ["CREDENTIALS_REFUSED"]
    (message,) = await send_notices(shop)
    assert message.kind is NoticeKind.PASSWORD_CHANGED
    assert (await session.scalars(select(Account.email_verified_at))).one() == clock()


async def test_a_reset_does_not_tell_who_has_an_account(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_account(session, email="mei@example.com")
    await create_account(session, email="gone@example.com", disabled=True)
    await session.commit()

    answers, statements = [], []
    for contact in ("mei@example.com", "gone@example.com", "nobody@example.com"):
        with count_statements(shop) as sent:
            answers.append(await clients.guest().do(START_RESET, contact=contact))
        statements.append(sent.texts)

    assert [answer["userErrors"] for answer in answers] == [[], [], []]
    assert statements[0] == statements[1] == statements[2]
    assert [message.recipient for message in await send_notices(shop)] == ["mei@example.com"]
    for answer in answers:
        terms = {"token": answer["verification"]["token"], "code": "x", "newPassword": NEW_PASSWORD}
        assert codes(await clients.guest().do(RESET, **terms)) == ["CREDENTIALS_REFUSED"]


async def test_of_two_resets_with_one_code_at_once_one_counts(
    clients: Clients, mei: Client, shop: Shop
) -> None:
    started = await clients.guest().do(START_RESET, contact="mei@example.com")
    code = await code_sent(shop, "mei@example.com")

    replies = await asyncio.gather(
        *(
            clients.guest().do(
                RESET, token=started["verification"]["token"], code=code, newPassword=f"{NEW_PASSWORD} {n}"
            )
            for n in range(3)
        )
    )

    assert sorted(codes(reply) for reply in replies) == [[], *[["CREDENTIALS_REFUSED"]] * 2]


async def test_a_device_gets_push_notices_while_its_sign_in_lasts(
    clients: Clients, mei: Client, session: AsyncSession
) -> None:
    phone = client_of(clients, await sign_in(clients, "mei@example.com"))

    payload = await phone.do(REGISTER_DEVICE, token="device-1")
    assert payload == {"signIn": {"isCurrent": True, "getsPushNotices": True}, "userErrors": []}
    await phone.do(REGISTER_DEVICE, token="device-2")
    assert (await session.scalars(select(DeviceToken.token))).all() == ["device-2"]
    await session.rollback()

    await mei.get(END_OTHERS)
    assert (await session.scalars(select(DeviceToken.token))).all() == []


async def test_a_device_belongs_to_whoever_signed_in_on_it_last(
    clients: Clients, mei: Client, session: AsyncSession
) -> None:
    other = await clients.customer()
    await mei.do(REGISTER_DEVICE, token="device-1")
    await other.do(REGISTER_DEVICE, token="device-1")

    assert other.account
    assert (await session.scalars(select(DeviceToken.account_id))).all() == [other.account.id]


async def test_a_device_is_removed_by_its_own_sign_in_and_a_wrong_token_is_refused(mei: Client) -> None:
    await mei.do(REGISTER_DEVICE, token="device-1")
    assert (await mei.get(REMOVE_DEVICE))["deviceTokenRemove"]["signIn"] == {"getsPushNotices": False}
    for wrong in ("", "x" * 5_000, "a\nb"):
        assert codes(await mei.do(REGISTER_DEVICE, token=wrong)) == ["INVALID"]


async def test_a_push_notice_is_not_sent_to_a_device_that_has_signed_out(
    clients: Clients, mei: Client, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    account = (await session.scalars(select(Account))).one()
    await session.commit()
    await mei.do(REGISTER_DEVICE, token="device-1")
    await queue(shop, account, "before", clock)
    sent = await send_notices(shop)
    await queue(shop, account, "after", clock)

    await mei.get(REMOVE_DEVICE)

    assert [(each.channel, each.recipient) for each in sent] == [(NoticeChannel.PUSH, "device-1")]
    assert await send_notices(shop) == []


async def queue(shop: Shop, account: Account, key: str, clock: Clock) -> None:
    draft = NoticeDraft(
        key, NoticeKind.PASSWORD_CHANGED, NoticeChannel.PUSH, "device-1", account_id=account.id
    )
    async with shop.database.writes.begin() as session:
        await queue_notice(session, draft, now=clock())


async def test_a_refused_change_of_contact_leaves_no_trace(mei: Client, shop: Shop) -> None:
    before = await read_all_rows(shop)

    payload = await mei.do(CHANGE_CONTACT, contact="neither of both", password=PASSWORD)

    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [("INVALID", ["contact"])]
    assert await read_all_rows(shop) == before


async def test_the_delay_after_wrong_passwords_ends(mei: Client, clock: Clock) -> None:
    for _ in range(5):
        await mei.do(UPDATE, password="a wrong guess", name="Thief")
    clock.tick(timedelta(seconds=2))

    assert codes(await mei.do(UPDATE, password=PASSWORD, name="Mei")) == []
