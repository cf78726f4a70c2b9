"""The staff keep the carriers: who they are, how they are reached, and which take parcels."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Carrier, Role, Shipment
from tests.api.shipment.documents import DISPATCH
from tests.clients import Clients
from tests.factories.carrier import create_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.given import id_of
from tests.observe import count_statements

CARRIERS = """
query ($archived: Boolean! = false) {
  carriers(archived: $archived) {
    id code name connection account service companyCode trackingLink pollSeconds cutOffs { weekday until }
    takesCash position version archivedAt
  }
}
"""
SAVE = """
mutation ($input: CarrierSaveInput!) {
  carrierSave(input: $input) {
    carrier { id code name connection companyCode cutOffs { weekday until } position version }
    userErrors { code message field }
  }
}
"""
ARCHIVE = """
mutation ($input: CarrierArchiveInput!) {
  carrierArchive(input: $input) { carrier { version archivedAt } userErrors { code message field } }
}
"""
RESTORE = """
mutation ($input: CarrierRestoreInput!) {
  carrierRestore(input: $input) { carrier { version archivedAt } userErrors { code field } }
}
"""
SHOWN = "query ($id: ID!) { shipment(id: $id) { carrier carrierName trackingUrl waybills { number } } }"

YTO = {"code": "yto", "name": " YTO  Express ", "connection": "KUAIDI100", "companyCode": "yuantong"}


async def test_a_shop_begins_with_a_simulated_carrier_and_its_own_couriers(clients: Clients) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)

    found = (await clerk.get(CARRIERS))["carriers"]

    assert [(each["code"], each["connection"], each["position"]) for each in found] == [
        ("SIMULATED", "SIMULATED", 1),
        ("OWN", "OWN_COURIERS", 2),
    ]


async def test_a_carrier_is_added_and_changed_from_the_version_that_was_read(clients: Clients) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)

    added = (await clerk.do(SAVE, **YTO, cutOffs=[{"weekday": "MONDAY", "until": "17:30"}]))["carrier"]
    unread = await clerk.do(SAVE, **YTO, id=added["id"])
    changed = (await clerk.do(SAVE, **YTO, id=added["id"], version=1, position=1))["carrier"]
    late = await clerk.do(SAVE, **YTO, id=added["id"], version=1)

    assert {key: added[key] for key in ("code", "name", "companyCode", "position", "version")} == {
        "code": "YTO",
        "name": "YTO Express",
        "companyCode": "yuantong",
        "position": 3,
        "version": 1,
    }
    assert added["cutOffs"] == [{"weekday": "MONDAY", "until": "17:30"}]
    assert [error["field"] for error in unread["userErrors"]] == [["version"]]
    assert (changed["position"], changed["version"], changed["cutOffs"]) == (1, 2, [])
    assert [error["code"] for error in late["userErrors"]] == ["CONFLICT"]


async def test_everything_wrong_with_a_carrier_is_said_at_once(
    clients: Clients, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)

    refused = await clerk.do(
        SAVE,
        code="y t o",
        name=" ",
        connection="KUAIDI100",
        trackingLink="javascript:alert(1)",
        pollSeconds=60,
        position=0,
        cutOffs=[{"weekday": "MONDAY", "until": "25:00"}],
    )
    taken = await clerk.do(SAVE, code="own", name="Others", connection="MANUAL")
    no_term = await clerk.do(SAVE, code="X", name="X", connection="SIMULATED", service="speed=fast")
    no_place = await clerk.do(
        SAVE, code="X", name="X", connection="MANUAL", trackingLink="https://x.example/"
    )

    assert {tuple(map(str, error["field"])) for error in refused["userErrors"]} == {
        ("code",),
        ("name",),
        ("trackingLink",),
        ("cutOffs", "0", "until"),
        ("pollSeconds",),
        ("position",),
        ("companyCode",),
    }
    assert [error["code"] for error in taken["userErrors"]] == ["TAKEN"]
    assert [error["field"] for error in no_term["userErrors"]] == [["service"]]
    assert [error["field"] for error in no_place["userErrors"]] == [["trackingLink"]]
    assert (await session.scalars(select(Carrier.code).order_by(Carrier.id))).all() == ["SIMULATED", "OWN"]


async def test_code_and_connection_of_a_carrier_stay(clients: Clients, session: AsyncSession) -> None:
    clerk, row = await clients.staff(Role.WAREHOUSE), await create_carrier(session, "YTO")
    await session.commit()

    code = await clerk.do(SAVE, code="ZTO", name="Z", connection="MANUAL", id=id_of(row), version=1)
    kind = await clerk.do(SAVE, code="YTO", name="Z", connection="SF_EXPRESS", id=id_of(row), version=1)

    refused = [*code["userErrors"], *kind["userErrors"]]
    assert [error["field"] for error in refused] == [["code"], ["connection"]]


async def test_an_archived_carrier_takes_no_more_parcels_until_it_is_restored(
    clients: Clients, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    row = await create_carrier(session, "YTO")
    own = (await session.scalars(select(Carrier).where(Carrier.code == "OWN"))).one()
    [shipment] = await pack(session, await confirmed_order(session))
    await session.commit()

    archived = await clerk.do(ARCHIVE, id=id_of(row), version=1)
    refused = await clerk.do(DISPATCH, id=id_of(shipment), carrier="YTO", trackingNumber="Y1")
    listed = (await clerk.get(CARRIERS))["carriers"]
    needed = await clerk.do(ARCHIVE, id=id_of(own), version=own.version)
    restored = await clerk.do(RESTORE, id=id_of(row), version=2)
    sent = await clerk.do(DISPATCH, id=id_of(shipment), carrier="YTO", trackingNumber="Y1")

    assert archived["carrier"]["archivedAt"] is not None
    assert [error["code"] for error in (*refused["userErrors"], *needed["userErrors"])] == ["WRONG_STATE"] * 2
    assert [each["code"] for each in listed] == ["SIMULATED", "OWN"]
    assert restored["carrier"] == {"version": 3, "archivedAt": None}
    assert (sent["shipment"]["carrier"], sent["shipment"]["trackingNumber"]) == ("YTO", "Y1")


async def test_only_the_staff_know_the_carriers_accounts(clients: Clients, session: AsyncSession) -> None:
    customer, support = await clients.customer(), await clients.staff(Role.SUPPORT)
    row = await create_carrier(session, "YTO", account="secret")
    await session.commit()
    by_id = "query ($id: ID!) { node(id: $id) { ... on Carrier { account } } }"

    assert "errors" in await customer.ask(CARRIERS)
    assert (await customer.get(by_id, id=id_of(row)))["node"] is None
    assert (await support.get(by_id, id=id_of(row)))["node"] == {"account": "secret"}
    assert [error["code"] for error in (await support.do(SAVE, **YTO))["userErrors"]] == ["FORBIDDEN"]


async def test_a_customer_reads_who_carries_a_parcel_and_where_to_look(
    clients: Clients, session: AsyncSession
) -> None:
    customer, clerk = await clients.customer(), await clients.staff(Role.WAREHOUSE)
    await create_carrier(session, "YTO", tracking_link="https://yto.example/?no={number}")
    first, second = await pack(session, await confirmed_order(session, account=customer.account), 1, 1)
    await session.commit()
    await clerk.do(DISPATCH, id=id_of(first), carrier="YTO", trackingNumber="Y 1&x=2")
    link = "https://elsewhere.example/1"
    await clerk.do(DISPATCH, id=id_of(second), carrier="YTO", trackingNumber="Y2", trackingLink=link)

    assert (await customer.get(SHOWN, id=id_of(first)))["shipment"] == {
        "carrier": "YTO",
        "carrierName": "Carrier YTO",
        "trackingUrl": "https://yto.example/?no=Y%201%26x%3D2",
        "waybills": None,
    }
    assert (await customer.get(SHOWN, id=id_of(second)))["shipment"]["trackingUrl"] == link


async def test_a_parcel_by_hand_needs_a_number_and_an_honest_link(
    clients: Clients, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await create_carrier(session, "YTO")
    [shipment] = await pack(session, await confirmed_order(session))
    await session.commit()

    refused = [
        await clerk.do(DISPATCH, id=id_of(shipment), carrier="YTO"),
        await clerk.do(DISPATCH, id=id_of(shipment), trackingNumber="Y1"),
        await clerk.do(DISPATCH, id=id_of(shipment), carrier="YTO", trackingNumber="Y1", trackingLink="js:x"),
        await clerk.do(DISPATCH, id=id_of(shipment), carrier="NOBODY", trackingNumber="Y1"),
    ]

    fields = [error["field"] for each in refused for error in each["userErrors"]]
    assert fields == [["trackingNumber"], ["carrier"], ["trackingLink"], ["carrier"]]
    assert (await session.get_one(Shipment, shipment.id, populate_existing=True)).dispatched_at is None


async def test_names_of_carriers_are_loaded_at_once(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    parcels = await pack(session, await confirmed_order(session), 1, 1, 1)
    for shipment in parcels:
        await send(session, shipment)
    await session.commit()
    document = "{ shipments { nodes { carrierName trackingUrl waybills { number label { format } } } } }"

    def count(page: str) -> str:
        return document.replace("shipments {", f"shipments({page}) {{", 1)

    totals = []
    for page in ("first: 1", "first: 3"):
        with count_statements(shop) as statements:
            await clerk.get(count(page))
        totals.append(statements.total)

    assert totals[0] == totals[1]
