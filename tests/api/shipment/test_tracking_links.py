"""A tracking link shows where a parcel is to whoever has it, and nothing of whose it is."""

import json
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from domain.shipment import TrackingFact
from domain.shipment.tracking_links import LINKS_LIMIT
from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Delivery, Order, OrderStatus, Role, Shipment, ShipmentStatus, TrackingLink
from tests.api.shipment.documents import Tick
from tests.clients import Client, Clients
from tests.factories.account import PASSWORD
from tests.factories.delivery_run import create_delivery_run
from tests.factories.order import a_variant, create_order
from tests.factories.shipment import confirmed_order, create_shipment, pack, track
from tests.given import id_of
from tests.observe import count_statements, read_all_rows, run_until_idle

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CREATE = """
mutation ($input: ShipmentLinkCreateInput!) {
  shipmentLinkCreate(input: $input) { token shipment { id } userErrors { code field } }
}
"""
REVOKE = """
mutation ($input: ShipmentLinkRevokeInput!) {
  shipmentLinkRevoke(input: $input) { shipment { id } userErrors { code field } }
}
"""
UNPACK = """
mutation ($input: ShipmentUnpackInput!) { shipmentUnpack(input: $input) { userErrors { code } } }
"""
ERASE = """
mutation ($input: AccountEraseInput!) { accountErase(input: $input) { account { id } userErrors { code } } }
"""
TRACKED = """
query Tracked($token: String!) {
  trackedShipment(token: $token) {
    status carrierName trackingNumber dispatchedAt deliveredAt estimatedAt
    eta { earliestAt expectedAt latestAt } events { status message city occurredAt }
  }
}
"""


async def create_link(client: Client, shipment: Shipment) -> str:
    made = (await client.get(CREATE, input={"id": id_of(shipment)}))["shipmentLinkCreate"]
    assert made["userErrors"] == []
    token: str = made["token"]
    return token


async def track_parcel(
    shop: Shop, session: AsyncSession, shipment: Shipment, status: ShipmentStatus, location: str = ""
) -> None:
    text_of_carrier = "快件由快递员王小二派送，电话13900001111，放在文三路 8 号"
    now = shop.clock()
    await track(session, shipment, TrackingFact(status, "", text_of_carrier + status, now, location), now=now)
    await session.commit()


async def test_whoever_has_the_link_sees_status_city_and_estimate_and_nothing_personal(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customer = await clients.customer()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    tick(MINUTE)
    await track_parcel(shop, session, shipment, ShipmentStatus.IN_TRANSIT, "杭州市西湖区文三路 8 号营业点")
    tick(MINUTE)
    await track_parcel(shop, session, shipment, ShipmentStatus.IN_TRANSIT, "No. 8 Wensan Road, CHENGDU")
    tick(MINUTE)
    await track_parcel(shop, session, shipment, ShipmentStatus.OUT_FOR_DELIVERY, "Unit 4, 12 Main Street")
    token = await create_link(customer, shipment)

    shown = (await clients.guest().get(TRACKED, token=token))["trackedShipment"]

    delivery = await session.get_one(Delivery, shipment.delivery_id)
    order = await session.get_one(Order, shipment.order_id)
    assert shown["status"] == "OUT_FOR_DELIVERY"
    assert [(event["status"], event["city"]) for event in shown["events"]] == [
        ("IN_TRANSIT", "杭州市"),
        ("IN_TRANSIT", "Chengdu"),
        ("OUT_FOR_DELIVERY", None),
    ]
    assert shown["eta"]["earliestAt"] <= shown["eta"]["expectedAt"] <= shown["eta"]["latestAt"]
    number = shipment.tracking_number
    assert number
    assert shown["trackingNumber"] == "*" * (len(number) - 4) + number[-4:]
    text = json.dumps(shown, ensure_ascii=False)
    for personal in (
        delivery.recipient,
        delivery.phone,
        delivery.line1,
        delivery.district,
        number,
        order.number,
        shipment.number,
        "文三路",
        "Wensan",
        "Main Street",
        "王小二",
        "13900001111",
    ):
        assert personal
        assert personal not in text


async def test_a_wrong_a_revoked_and_an_ended_link_answer_alike(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customer, guest = await clients.customer(), clients.guest()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    await session.commit()
    first, second = await create_link(customer, shipment), await create_link(customer, shipment)
    assert first != second
    assert len(first) >= 43
    for token in (first, second):
        assert (await guest.ask(TRACKED, token=token))["data"]["trackedShipment"]
    await customer.get(REVOKE, input={"id": id_of(shipment)})
    third = await create_link(customer, shipment)
    await track_parcel(shop, session, shipment, ShipmentStatus.DELIVERED)
    tick(shop.settings.deadlines.tracking_links_end_after - HOUR)
    assert (await guest.get(TRACKED, token=third))["trackedShipment"]["status"] == "DELIVERED"
    tick(HOUR)

    wrong = ["", "x", third[:-1], third + "x", fingerprint_of(third), "好" * 5_000]
    answers = [await guest.ask(TRACKED, token=token) for token in (first, second, third, *wrong)]

    assert answers == [{"data": {"trackedShipment": None}}] * len(answers)
    again = await clients.customer(customer.account)
    refused = (await again.get(CREATE, input={"id": id_of(shipment)}))["shipmentLinkCreate"]
    assert refused == {
        "token": None,
        "shipment": None,
        "userErrors": [{"code": "WRONG_STATE", "field": ["id"]}],
    }


async def test_links_are_made_by_the_customer_and_the_staff_and_by_nobody_else(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, stranger = await clients.customer(), await clients.customer()
    clerk, agent = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.SUPPORT)
    courier = await clients.staff(Role.COURIER)
    order = await confirmed_order(session, account=customer.account)
    [shipment] = await pack(session, order)
    await create_delivery_run(session, [shipment], courier=courier.account)
    await session.commit()
    for client in (customer, clerk, agent):
        await create_link(client, shipment)
    rows = await read_all_rows(shop)

    for document, name in ((CREATE, "shipmentLinkCreate"), (REVOKE, "shipmentLinkRevoke")):
        answers = [
            (await client.get(document, input={"id": id_of(shipment)}))[name]["userErrors"][0]["code"]
            for client in (stranger, courier, clients.guest())
        ]
        assert answers == ["NOT_FOUND", "FORBIDDEN", "UNAUTHENTICATED"]
    assert await read_all_rows(shop) == rows


async def test_a_parcel_has_ten_links_at_most_of_which_only_hashes_are_stored(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    await session.commit()
    tokens = [await create_link(customer, shipment) for _ in range(LINKS_LIMIT)]

    refused = (await customer.get(CREATE, input={"id": id_of(shipment)}))["shipmentLinkCreate"]

    assert refused["userErrors"] == [{"code": "LIMIT_REACHED", "field": ["id"]}]
    hashes = set(await session.scalars(select(TrackingLink.token_hash)))
    assert hashes == set(map(fingerprint_of, tokens))
    stored = "\n".join(await read_all_rows(shop))
    assert not [token for token in tokens if token in stored]


async def test_no_cache_keeps_an_answer_and_no_log_the_token(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    await session.commit()
    with capture_logs() as logs:
        token = await create_link(customer, shipment)
        for variables in ({"token": token}, {"token": [token, 7]}, {"token": {"a": token}}):
            answer = await clients.http.get(
                "/graphql", params={"query": TRACKED, "variables": json.dumps(variables)}
            )
            assert answer.headers["cache-control"] == "private, no-store"
            assert token not in answer.text

    assert token not in str(logs)


async def test_a_link_takes_as_many_statements_with_many_events_as_with_one(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customer = await clients.customer()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    await track_parcel(shop, session, shipment, ShipmentStatus.IN_TRANSIT)
    token, guest = await create_link(customer, shipment), clients.guest()
    await guest.get(TRACKED, token=token)

    counts = []
    for _ in range(2):
        with count_statements(shop) as statements:
            assert (await guest.get(TRACKED, token=token))["trackedShipment"]
        counts.append(statements.total)
        for _ in range(6):
            tick(MINUTE)
            await track_parcel(shop, session, shipment, ShipmentStatus.IN_TRANSIT)

    assert counts == [counts[0]] * 2
    assert counts[0] <= 4


async def test_a_link_of_a_parcel_that_is_unpacked_ends_with_it(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, clerk = await clients.customer(), await clients.staff(Role.WAREHOUSE)
    order = await confirmed_order(session, account=customer.account, now=shop.clock())
    [shipment] = await pack(session, order, now=shop.clock())
    await session.commit()
    token = await create_link(customer, shipment)
    assert (await clients.guest().get(TRACKED, token=token))["trackedShipment"]["status"] == "PENDING"

    unpacked = await clerk.get(UNPACK, input={"id": id_of(shipment)})

    assert unpacked["shipmentUnpack"]["userErrors"] == []
    assert (await clients.guest().get(TRACKED, token=token))["trackedShipment"] is None
    assert (await session.scalars(select(TrackingLink))).all() == []


async def test_an_erased_account_has_no_links(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    lines = [(await a_variant(session), 1)]
    order = await create_order(
        session, account=customer.account, lines=lines, status=OrderStatus.COMPLETED, now=shop.clock()
    )
    shipment = (await session.scalars(select(Shipment).where(Shipment.order_id == order.id))).one()
    await session.commit()
    token = await create_link(agent, shipment)
    assert (await clients.guest().get(TRACKED, token=token))["trackedShipment"]

    assert (await customer.do(ERASE, password=PASSWORD))["userErrors"] == []
    tick(MINUTE)
    await run_until_idle(shop)

    assert (await session.scalars(select(TrackingLink))).all() == []
    assert (await clients.guest().get(TRACKED, token=token))["trackedShipment"] is None
