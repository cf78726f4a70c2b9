"""Sign-ins: listed and ended by their owner, and what they may do when rights have changed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from edge.auth import CredentialsRefused, renew_viewer, viewer_of
from events.session_rights import RIGHTS_TOPIC
from events.shop import Shop
from models import Account, Role, Session, SignIn
from resolvers.ids import global_id
from tests.api.test_account import DISABLE, REFRESH, SIGN_OUT, client_of, sign_in, sign_in_mei
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.given import codes
from tests.observe import wait_until

SIGN_INS = "{ viewer { account { signIns { id userAgent isCurrent createdAt expiresAt } } } }"
END = """mutation($input: SignInEndInput!) { signInEnd(input: $input) {
  account { signIns { isCurrent } } userErrors { code field } } }"""
END_OTHERS = "mutation { otherSignInsEnd { account { signIns { isCurrent } } userErrors { code } } }"
CHANGE_ROLE = """mutation($input: StaffRoleChangeInput!) { staffRoleChange(input: $input) {
  account { role } userErrors { code field } } }"""
REFUNDS = "{ refunds(first: 1) { nodes { id } } }"
VIEWER = "{ viewer { role } }"


async def sign_ins_of(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(SIGN_INS))["viewer"]["account"]["signIns"]
    return found


async def status_of(client: Client) -> int:
    return (await client.post(VIEWER)).status_code


async def test_the_owner_sees_on_which_devices_they_are_signed_in(clients: Clients, clock: Clock) -> None:
    here = client_of(clients, await sign_in_mei(clients))
    clock.tick(timedelta(minutes=1))
    await clients.guest(**{"User-Agent": "Phone/1"}).do(
        "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { userErrors { code } } }",
        login="mei@example.com",
        password="correct horse battery",
    )

    phone, own = await sign_ins_of(here)

    assert (phone["userAgent"], phone["isCurrent"], own["isCurrent"]) == ("Phone/1", False, True)
    assert phone["createdAt"] == clock().isoformat()
    assert phone["expiresAt"] == (clock() + timedelta(days=30)).isoformat()


async def test_a_sign_in_keeps_its_place_in_the_list_when_its_tokens_are_refreshed(
    clients: Clients, clock: Clock
) -> None:
    session = (await sign_in_mei(clients))["session"]
    before = await sign_ins_of(clients.guest(Authorization=f"Bearer {session['accessToken']}"))
    clock.tick(timedelta(minutes=20))

    refreshed = await clients.guest().do(REFRESH, refreshToken=session["refreshToken"])

    after = await sign_ins_of(client_of(clients, refreshed))
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert after[0]["expiresAt"] == (clock() + timedelta(days=30)).isoformat()


async def test_an_expired_sign_in_is_not_listed(clients: Clients, clock: Clock) -> None:
    await sign_in_mei(clients)
    clock.tick(timedelta(days=30))

    here = client_of(clients, await sign_in(clients, "mei@example.com"))

    assert [each["isCurrent"] for each in await sign_ins_of(here)] == [True]


async def test_nobody_sees_the_sign_ins_of_another_not_even_the_staff(
    clients: Clients, session: AsyncSession
) -> None:
    await sign_in_mei(clients)
    mei = (await session.scalars(select(Account.id))).one()
    await session.commit()
    support = await clients.staff(Role.SUPPORT)

    found = await support.get(
        "query($id: ID!) { node(id: $id) { ... on Account { name signIns { id } } } }",
        id=global_id("Account", mei),
    )

    assert found["node"] == {"name": "Lin Mei", "signIns": []}


async def test_an_ended_sign_in_is_refused_at_once_and_cannot_be_refreshed(clients: Clients) -> None:
    here = client_of(clients, await sign_in_mei(clients))
    lost = await sign_in(clients, "mei@example.com")
    assert await status_of(client_of(clients, lost)) == 200
    other = next(each for each in await sign_ins_of(here) if not each["isCurrent"])

    payload = await here.do(END, id=other["id"])

    assert payload == {"account": {"signIns": [{"isCurrent": True}]}, "userErrors": []}
    assert await status_of(client_of(clients, lost)) == 401
    refused = await clients.guest().do(REFRESH, refreshToken=lost["session"]["refreshToken"])
    assert codes(refused) == ["CREDENTIALS_REFUSED"]
    assert [error["code"] for error in (await here.do(END, id=other["id"]))["userErrors"]] == ["NOT_FOUND"]


async def test_all_other_sign_ins_end_at_once(clients: Clients, session: AsyncSession) -> None:
    here = client_of(clients, await sign_in_mei(clients))
    others = [client_of(clients, await sign_in(clients, "mei@example.com")) for _ in range(2)]
    stranger = await clients.customer()

    payload = (await here.get(END_OTHERS))["otherSignInsEnd"]

    assert payload == {"account": {"signIns": [{"isCurrent": True}]}, "userErrors": []}
    assert [await status_of(each) for each in (here, *others, stranger)] == [200, 401, 401, 200]
    living = select(Session.id).where(Session.revoked_at.is_(None))
    assert len((await session.scalars(living)).all()) == 1


async def test_who_has_signed_out_is_refused_though_the_access_token_has_not_expired(
    clients: Clients,
) -> None:
    payload = await sign_in_mei(clients)
    here = client_of(clients, payload)
    assert await status_of(here) == 200

    await clients.guest().do(SIGN_OUT, refreshToken=payload["session"]["refreshToken"])

    assert await status_of(here) == 401


async def test_a_stolen_refresh_token_ends_the_access_tokens_of_its_sign_in_too(clients: Clients) -> None:
    stolen = await sign_in_mei(clients)
    token = stolen["session"]["refreshToken"]
    thief = client_of(clients, await clients.guest().do(REFRESH, refreshToken=token))

    await clients.guest().do(REFRESH, refreshToken=token)

    assert [await status_of(each) for each in (client_of(clients, stolen), thief)] == [401, 401]


async def test_a_disabled_account_is_refused_at_once(clients: Clients) -> None:
    payload = await sign_in_mei(clients)
    here = client_of(clients, payload)
    assert await status_of(here) == 200

    await (await clients.staff(Role.ADMIN)).do(DISABLE, id=payload["session"]["account"]["id"])

    assert await status_of(here) == 401


async def test_a_changed_role_counts_at_once_whatever_the_token_says(clients: Clients) -> None:
    admin, manager = await clients.staff(Role.ADMIN), await clients.staff(Role.MANAGER)
    assert manager.account
    assert (await manager.get(REFUNDS))["refunds"] == {"nodes": []}

    given = {"id": global_id("Account", manager.account.id), "role": "COURIER"}
    payload = await admin.do(CHANGE_ROLE, **given)

    assert payload == {"account": {"role": "COURIER"}, "userErrors": []}
    reply = await manager.ask(REFUNDS)
    assert [error["extensions"]["code"] for error in reply["errors"]] == ["FORBIDDEN"]
    assert (await manager.get(VIEWER))["viewer"] == {"role": "COURIER"}


async def test_only_staff_get_other_roles_of_the_staff_and_never_by_themselves(
    clients: Clients, session: AsyncSession
) -> None:
    admin = await clients.staff(Role.ADMIN)
    customer = await create_account(session)
    courier = await create_account(session, role=Role.COURIER)
    await session.commit()
    assert admin.account
    wrong = [
        (customer.id, "ADMIN", ("INVALID", ["id"])),
        (courier.id, "CUSTOMER", ("INVALID", ["role"])),
        (courier.id, "GUEST", ("INVALID", ["role"])),
        (admin.account.id, "COURIER", ("WRONG_STATE", ["id"])),
        (999_999, "COURIER", ("NOT_FOUND", ["id"])),
    ]
    for account_id, role, refusal in wrong:
        payload = await admin.do(CHANGE_ROLE, id=global_id("Account", account_id), role=role)
        assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [refusal]

    found = await session.execute(select(Account.id, Account.role))
    roles = {row.id: row.role for row in found}
    assert (roles[customer.id], roles[courier.id], roles[admin.account.id]) == (
        "CUSTOMER",
        "COURIER",
        "ADMIN",
    )


async def test_what_another_process_has_changed_is_seen_within_five_seconds_without_any_signal(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    courier = await clients.staff(Role.COURIER)
    support = await clients.staff(Role.SUPPORT)
    assert courier.account
    assert support.account
    for client in (courier, support):
        assert await status_of(client) == 200
    await session.execute(update(Account).where(Account.id == courier.account.id).values(role=Role.CATALOGUE))
    await session.execute(update(Account).where(Account.id == support.account.id).values(disabled_at=clock()))
    await session.commit()

    clock.tick(timedelta(seconds=5))

    assert (await courier.get(VIEWER))["viewer"] == {"role": "CATALOGUE"}
    assert await status_of(support) == 401


async def test_a_signal_of_another_process_makes_this_one_forget_what_it_knows(
    clients: Clients, shop: Shop
) -> None:
    courier = await clients.staff(Role.COURIER)
    assert await status_of(courier) == 200
    assert len(shop.session_rights.known) == 1

    await shop.bus.notify([RIGHTS_TOPIC])

    await wait_until(lambda: not shop.session_rights.known)


async def test_a_viewer_of_a_socket_is_renewed_with_the_rights_of_the_moment(
    shop: Shop, clients: Clients, session: AsyncSession, clock: Clock
) -> None:
    courier = await clients.staff(Role.COURIER)
    assert courier.account
    headers = {name.lower(): value for name, value in courier.headers.items()}
    viewer = await viewer_of(headers, shop)
    await session.execute(update(Account).where(Account.id == courier.account.id).values(role=Role.SUPPORT))
    await session.commit()
    await shop.session_rights.announce_change()

    assert (await renew_viewer(viewer, shop)).role is Role.SUPPORT

    clock.tick(shop.settings.tokens.access_lifetime)
    assert await is_refused(shop, viewer_of=viewer)


async def is_refused(shop: Shop, *, viewer_of: Any) -> bool:
    try:
        await renew_viewer(viewer_of, shop)
    except CredentialsRefused:
        return True
    return False


async def test_a_token_of_one_account_never_takes_the_rights_of_another(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, admin = await clients.customer(), await clients.staff(Role.ADMIN)
    assert customer.account
    assert admin.account
    await session.execute(
        update(SignIn).where(SignIn.account_id == customer.account.id).values(account_id=admin.account.id)
    )
    await session.commit()
    shop.session_rights.forget_all()

    assert await status_of(customer) == 401
