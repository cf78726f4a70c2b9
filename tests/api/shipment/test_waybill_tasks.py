"""Waybills that nobody needs and their carriers do not cancel are tasks, until somebody has settled them."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment import unpack_shipment
from events.shop import Shop
from gateways.carrier.protocol import BookedWaybill, CarrierRefused
from models import SIMULATED_CARRIER, Role
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.events.test_waybills import book, packed
from tests.factories.carrier import ScriptedCarrier, connect_carrier
from tests.given import codes, refusals
from tests.observe import count_statements, run_until_idle

TASKS = """
query ($open: Boolean = true) {
  waybillTasks(open: $open) {
    totalCount
    nodes { id parcelNumber carrier number reason settledAt settlement settledBy { name } }
  }
}
"""
RESOLVE = """
mutation ($input: WaybillTaskResolveInput!) {
  waybillTaskResolve(input: $input) {
    waybillTask { settlement settledBy { name } } userErrors { code field }
  }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { ... on WaybillTask { parcelNumber } } }"


async def void_refused(shop: Shop, session: AsyncSession, numbers: list[str]) -> list[str]:
    """Parcels with these waybills, unpacked again, of which the carrier has cancelled none; their numbers."""
    parcels = await packed(session, shop, *[1] * len(numbers))
    carrier = ScriptedCarrier(
        [BookedWaybill(each) for each in numbers], cancel_answer=CarrierRefused("collected")
    )
    connect_carrier(shop, carrier)
    for parcel in parcels:
        await book(shop, parcel, SIMULATED_CARRIER)
    async with shop.database.writes.begin() as write:
        for parcel in parcels:
            await unpack_shipment(write, parcel.id, cause=Cause(shop.clock()))
    await run_until_idle(shop)
    return [parcel.number for parcel in parcels]


async def tasks(client: Client, **which: bool) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await client.get(TASKS, **which))["waybillTasks"]["nodes"]
    return found


async def test_a_waybill_of_an_unpacked_parcel_that_is_not_cancelled_is_a_task_until_it_is_settled(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    support = await clients.staff(Role.SUPPORT)
    assert await tasks(support) == []
    [number] = await void_refused(shop, session, ["N1"])

    [task] = await tasks(support)

    assert {key: task[key] for key in ("parcelNumber", "carrier", "number", "reason", "settledAt")} == {
        "parcelNumber": number,
        "carrier": "SIMULATED",
        "number": "N1",
        "reason": "collected",
        "settledAt": None,
    }
    assert (await support.get(NODE, id=task["id"]))["node"] == {"parcelNumber": number}
    empty = await support.do(RESOLVE, id=task["id"], note=" ")
    unknown = await support.do(RESOLVE, id=global_id("WaybillTask", 999), note="x")
    assert [refusals(empty), refusals(unknown)] == [[("INVALID", "note")], [("NOT_FOUND", "id")]]
    done = await support.do(RESOLVE, id=task["id"], note="They credit it.")
    assert done["waybillTask"]["settlement"] == "They credit it."
    assert done["waybillTask"]["settledBy"]
    assert refusals(await support.do(RESOLVE, id=task["id"], note="x")) == [("WRONG_STATE", "id")]
    assert await tasks(support) == []
    assert [each["number"] for each in await tasks(support, open=False)] == ["N1"]


async def test_only_the_staff_see_and_settle_waybills(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    support, customer = await clients.staff(Role.SUPPORT), await clients.customer()
    courier = await clients.staff(Role.COURIER)
    await void_refused(shop, session, ["N1"])
    [task] = await tasks(support)

    for stranger in (customer, courier):
        assert (await stranger.ask(TASKS))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert codes(await stranger.do(RESOLVE, id=task["id"], note="x")) == ["FORBIDDEN"]
        assert (await stranger.get(NODE, id=task["id"]))["node"] is None


async def test_a_page_of_waybill_tasks_costs_the_same_however_long_it_is(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    support = await clients.staff(Role.SUPPORT)
    await void_refused(shop, session, ["N1", "N2", "N3"])
    costs = []
    for first in (1, 3):
        with count_statements(shop) as counted:
            await support.get(TASKS.replace("open: $open", f"open: $open, first: {first}"))
        costs.append(counted.total)
    assert costs == [4, 4]
