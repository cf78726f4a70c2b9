"""Late and silent parcels over the API: the staff see them come, count them and resolve them."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Role
from tests.api.shipment.documents import Tick
from tests.clients import Clients
from tests.factories.shipment import create_shipment
from tests.observe import assert_books_agree, count_statements, run_until_idle

WEEKS, MINUTES = timedelta(days=40), timedelta(minutes=5)
LIST = """
query ($kind: ShipmentTaskKind, $open: Boolean = true, $first: Int! = 20) {
  shipmentTasks(kind: $kind, open: $open, first: $first) {
    totalCount nodes { id kind endedAt note resolvedBy { name } shipment { number status } }
  }
}
"""
RESOLVE = """
mutation ($input: ShipmentTaskResolveInput!) {
  shipmentTaskResolve(input: $input) {
    shipmentTask { kind note endedAt resolvedBy { name } } userErrors { code field }
  }
}
"""
COUNTS = """{
  late: shipmentTasks(kind: LATE) { totalCount } silent: shipmentTasks(kind: SILENT) { totalCount }
  back: shipments(filter: {waiting: true}) { totalCount }
}"""
WORK = "subscription { workQueue { name subject { ... on Shipment { number } } } }"


async def test_a_parcel_under_way_for_too_long_is_counted_resolved_and_gone(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    support = await clients.staff(Role.SUPPORT)
    before = await support.get(COUNTS)
    shipment = await create_shipment(session, now=shop.clock() - WEEKS)
    await session.commit()
    await run_until_idle(shop)

    after = await support.get(COUNTS)
    [silent, late] = sorted(
        (await support.get(LIST))["shipmentTasks"]["nodes"], key=lambda task: task["kind"], reverse=True
    )
    empty = await support.ask(RESOLVE, input={"id": late["id"], "note": " "})
    done = await support.get(RESOLVE, input={"id": late["id"], "note": "The lorry broke down."})
    twice = await support.get(RESOLVE, input={"id": late["id"], "note": "Again."})
    tick(MINUTES)
    await run_until_idle(shop)

    assert [each["totalCount"] for each in before.values()] == [0, 0, 0]
    assert [each["totalCount"] for each in after.values()] == [1, 1, 0]
    assert silent["shipment"] == {"number": shipment.number, "status": "PENDING"}
    assert empty["data"]["shipmentTaskResolve"]["userErrors"] == [{"code": "INVALID", "field": ["note"]}]
    assert done["shipmentTaskResolve"]["shipmentTask"]["note"] == "The lorry broke down."
    assert done["shipmentTaskResolve"]["shipmentTask"]["resolvedBy"]
    assert twice["shipmentTaskResolve"]["userErrors"] == [{"code": "WRONG_STATE", "field": ["id"]}]
    left = (await support.get(LIST, open=None))["shipmentTasks"]
    assert [(task["kind"], bool(task["endedAt"])) for task in left["nodes"]] == sorted(
        [("SILENT", False), ("LATE", True)], key=lambda each: left["nodes"][0]["kind"] != each[0]
    )
    assert (await support.get(LIST, kind="LATE"))["shipmentTasks"]["totalCount"] == 0
    await assert_books_agree(shop)


async def test_the_work_queue_of_those_who_see_all_parcels_brings_each_new_task_once(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    shipment = await create_shipment(session, now=shop.clock() - WEEKS)
    await session.commit()
    async with clerk.watch(WORK) as watch:
        await run_until_idle(shop)

        items = [(await watch.next())["data"]["workQueue"] for _ in range(2)]

    assert items == [{"name": "shipment.overdue", "subject": {"number": shipment.number}}] * 2


async def test_tasks_are_of_those_who_see_all_parcels(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    support = await clients.staff(Role.SUPPORT)
    customer, courier = await clients.customer(), await clients.staff(Role.COURIER)
    await create_shipment(session, account=customer.account, now=shop.clock() - WEEKS)
    await session.commit()
    await run_until_idle(shop)
    [task, _] = (await support.get(LIST))["shipmentTasks"]["nodes"]

    for stranger in (customer, courier):
        listed = await stranger.ask(LIST)
        resolved = await stranger.get(RESOLVE, input={"id": task["id"], "note": "Mine."})
        node = await stranger.get("query ($id: ID!) { node(id: $id) { id } }", id=task["id"])

        assert listed["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert [each["code"] for each in resolved["shipmentTaskResolve"]["userErrors"]] == ["FORBIDDEN"]
        assert node["node"] is None
    assert (await support.get(LIST))["shipmentTasks"]["totalCount"] == 2


async def test_a_page_of_tasks_takes_as_many_statements_as_a_single_one(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    support = await clients.staff(Role.SUPPORT)
    for _ in range(4):
        await create_shipment(session, now=shop.clock() - WEEKS)
    await session.commit()
    await run_until_idle(shop)
    await support.get(LIST)

    counts = []
    for first in (1, 8):
        with count_statements(shop) as statements:
            found = (await support.get(LIST, first=first))["shipmentTasks"]
        assert len(found["nodes"]) == first
        counts.append(statements.total)

    assert counts[0] == counts[1]
