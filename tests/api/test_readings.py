"""Who of the staff has read whose personal data is known, and couriers see what they bring and no more."""

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from events.jobs.scheduler import Scheduler
from events.notices.retention import EXPIRED_READINGS
from events.shop import Shop
from models import (
    Delivery,
    DeliveryLine,
    DeliveryRun,
    DeliveryRunStatus,
    OrderLine,
    OrderStatus,
    Reading,
    Role,
)
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.factories.delivery_run import create_delivery_run
from tests.factories.order import CHENGDU, HANGZHOU, a_variant, create_order, deliver_to
from tests.factories.shipment import confirmed_order, pack
from tests.given import id_of

READINGS = """query ($customerId: ID, $readerId: ID) {
  personalDataReadings(customerId: $customerId, readerId: $readerId) {
    nodes { reader { id } customer { id } operation fields readAt } } }"""
ORDER = "query Desk($id: ID!) { order(id: $id) { number deliveries { address { recipient phone } } } }"
SEEN = "query ($id: ID!) { order(id: $id) { number displayStatus } }"
DETAILS = "query ($id: ID!) { order(id: $id) { number total { amount } } }"


async def test_it_is_known_who_has_read_whose_address_by_which_operation(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    agent, admin = await clients.staff(Role.SUPPORT), await clients.staff(Role.ADMIN)
    customer = await clients.customer()
    order = await confirmed_order(session, account=customer.account)
    await session.commit()
    assert agent.account
    assert customer.account

    await agent.get(ORDER, id=id_of(order))
    await customer.get(ORDER, id=id_of(order))
    await agent.get(SEEN, id=id_of(order))

    found = await admin.get(READINGS, customerId=id_of(customer.account))
    assert found["personalDataReadings"]["nodes"] == [
        {
            "reader": {"id": id_of(agent.account)},
            "customer": {"id": id_of(customer.account)},
            "operation": "Desk",
            "fields": ["PostalAddress.phone", "PostalAddress.recipient"],
            "readAt": shop.clock().isoformat(),
        }
    ]
    refused = await agent.ask(READINGS)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_page_of_many_customers_is_noted_in_one_row_for_each(
    clients: Clients, session: AsyncSession
) -> None:
    agent = await clients.staff(Role.SUPPORT)
    for _ in range(3):
        await create_account(session)
    await session.commit()

    await agent.get("{ customers { nodes { account { name email } email phone } } }")

    fields = ["Account.email", "Account.name", "Customer.email", "Customer.phone"]
    assert (await session.scalars(select(Reading.fields))).all() == [fields] * 3


async def test_readings_are_deleted_after_their_time(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    agent = await clients.staff(Role.SUPPORT)
    await create_account(session)
    await session.commit()
    await agent.get("{ customers { nodes { email } } }")
    await agent.get("{ customers { nodes { email } } }")

    clock.tick(timedelta(days=364))
    await Scheduler(shop, [EXPIRED_READINGS]).run_once()
    assert await session.scalar(select(func.count()).select_from(Reading)) == 2
    await session.commit()
    clock.tick(timedelta(days=1))
    await Scheduler(shop, [EXPIRED_READINGS]).run_once()

    assert await session.scalar(select(func.count()).select_from(Reading)) == 0


async def test_couriers_see_the_orders_of_their_runs_until_a_day_after_and_no_prices(
    clients: Clients, session: AsyncSession, clock: Clock
) -> None:
    courier, other = await clients.staff(Role.COURIER), await clients.staff(Role.COURIER)
    order = await confirmed_order(session)
    run = await create_delivery_run(session, await pack(session, order), courier=courier.account)
    await session.commit()

    assert (await courier.get(SEEN, id=id_of(order)))["order"]["number"] == order.number
    assert await other.get(SEEN, id=id_of(order)) == {"order": None}
    details = await courier.ask(DETAILS, id=id_of(order))
    assert (details["data"], details["errors"][0]["extensions"]["code"]) == ({"order": None}, "FORBIDDEN")

    ended = {"status": DeliveryRunStatus.COMPLETED, "ended_at": clock()}
    await session.execute(update(DeliveryRun).where(DeliveryRun.id == run.id).values(ended))
    await session.commit()
    clock.tick(timedelta(hours=23))
    courier = await clients.staff(Role.COURIER, courier.account)
    assert (await courier.get(SEEN, id=id_of(order)))["order"] is not None
    clock.tick(timedelta(hours=1))
    courier = await clients.staff(Role.COURIER, courier.account)
    assert await courier.get(SEEN, id=id_of(order)) == {"order": None}
    assert await courier.get("{ deliveryRuns { nodes { id } } }") == {"deliveryRuns": {"nodes": []}}


async def test_couriers_see_nothing_of_a_delivery_that_they_do_not_bring(
    clients: Clients, session: AsyncSession
) -> None:
    courier = await clients.staff(Role.COURIER)
    near, far = [await a_variant(session) for _ in range(2)]
    order = await create_order(
        session,
        status=OrderStatus.CONFIRMED,
        lines=[(near, 1), (far, 1)],
        deliveries=[deliver_to(HANGZHOU, [(near, 1)]), deliver_to(CHENGDU, [(far, 1)])],
    )
    await create_delivery_run(session, await pack(session, order), courier=courier.account)
    lines = (await session.scalars(select(OrderLine).order_by(OrderLine.position))).all()
    parts = (await session.scalars(select(Delivery).order_by(Delivery.position))).all()
    of_parts = (await session.scalars(select(DeliveryLine).order_by(DeliveryLine.delivery_id))).all()
    await session.commit()

    ids = [id_of(row) for rows in (lines, parts, of_parts) for row in rows]
    found = (await courier.get("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids))["nodes"]

    assert [each and each["id"] for each in found] == [
        each if index % 2 == 0 else None for index, each in enumerate(ids)
    ]


async def test_a_catalogue_clerk_sees_no_orders_and_no_customers(
    clients: Clients, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.CATALOGUE)
    order = await confirmed_order(session)
    await session.commit()

    assert await clerk.get(SEEN, id=id_of(order)) == {"order": None}
    assert await clerk.get("{ orders { nodes { number } } }") == {"orders": {"nodes": []}}
    for document in ("{ customers { nodes { email } } }", "{ tickets { nodes { id } } }"):
        assert (await clerk.ask(document))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
