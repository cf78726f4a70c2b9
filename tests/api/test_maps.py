"""Maps of delivery runs and of parcels' ways: who sees which, and what is on them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import (
    PlannedStop,
    StopReport,
    StopTerms,
    complete_stop,
    plan_delivery_run,
    report_courier_position,
    start_delivery_run,
)
from domain.shipment import TrackingFact
from events.shop import Shop
from models import (
    Account,
    Delivery,
    DeliveryRun,
    DeliveryRunStop,
    Position,
    Reading,
    Role,
    Shipment,
    ShipmentStatus,
    StopOutcome,
    Warehouse,
)
from tests.api.shipment.test_tracking_links import create_link
from tests.clients import Client, Clients
from tests.factories.order import CHENGDU
from tests.factories.shipment import RECEIPT_AFTER, confirmed_order, create_shipment, pack, track
from tests.geo.svg import has_outlines, marks_of, parse_map, tag_of, texts_of
from tests.given import id_of
from tests.observe import count_statements

Tick = Callable[[timedelta], None]
MINUTE, HOUR, LEG = timedelta(minutes=1), timedelta(hours=1), timedelta(minutes=10)
DISTRICTS = ("闵行区", "徐汇区", "长宁区", "静安区")
POINTS = ((31.11, 121.38), (31.19, 121.44), (31.22, 121.42), (31.23, 121.45))

RUN_MAP = "query ($id: ID!) { node(id: $id) { ... on DeliveryRun { map } } }"
RUN_MAPS = "query ($first: Int!) { deliveryRuns(first: $first) { nodes { map } } }"
JOURNEY = "query ($id: ID!) { shipment(id: $id) { journeyMap } }"
JOURNEYS = "query ($first: Int!) { shipments(first: $first) { nodes { journeyMap } } }"
BOTH_MAPS = """
query ($run: ID!, $parcel: ID!) {
  run: node(id: $run) { ... on DeliveryRun { map } }
  parcel: node(id: $parcel) { ... on Shipment { journeyMap } }
}
"""
TRACKED = "query ($token: String!) { trackedShipment(token: $token) { journeyMap } }"


async def address_to(session: AsyncSession, shipment: Shipment, district: str) -> None:
    """The parcel goes to a district of Shanghai."""
    await session.execute(
        update(Delivery)
        .where(Delivery.id == shipment.delivery_id)
        .values(province="上海市", city="上海市", district=district)
        .execution_options(synchronize_session=False)
    )


async def plan_round(
    shop: Shop, session: AsyncSession, courier: Client, *, owners: Sequence[Account | None] = (None,) * 4
) -> tuple[DeliveryRun, list[Shipment]]:
    """A run of four stops: the second has a window, the fourth is locked, the third has no coordinates."""
    now = shop.clock()
    shipments = [
        (await pack(session, await confirmed_order(session, account=owner, now=now), now=now))[0]
        for owner in owners
    ]
    for shipment, district in zip(shipments, DISTRICTS, strict=True):
        await address_to(session, shipment, district)
    await session.execute(
        update(Warehouse)
        .where(Warehouse.id == shipments[0].warehouse_id)
        .values(name="Main <b>&", latitude=31.24, longitude=121.22)
    )
    terms = [
        StopTerms(),
        StopTerms(now + HOUR, now + 2 * HOUR),
        StopTerms(window_from=now),
        StopTerms(window_until=now + HOUR, locked=True),
    ]
    points = (*POINTS[:2], (None, None), POINTS[3])
    stops = [
        PlannedStop(shipment.id, LEG, latitude, longitude, terms=term)
        for shipment, (latitude, longitude), term in zip(shipments, points, terms, strict=True)
    ]
    assert courier.account
    run = await plan_delivery_run(
        session,
        courier_id=courier.account.id,
        warehouse_id=shipments[0].warehouse_id,
        vehicle='van "<7>"',
        stops=stops,
        cause=Cause(now),
    )
    await session.commit()
    return run, shipments


async def drive(shop: Shop, session: AsyncSession, run: DeliveryRun, *outcomes: StopOutcome) -> None:
    """The courier leaves, is near the first stops, and completes some."""
    assert run.courier_id
    cause = Cause(shop.clock(), run.courier_id)
    await start_delivery_run(session, run.id, cause=cause, receipt_after=RECEIPT_AFTER)
    await report_courier_position(session, run.id, Position(31.2, 121.4, shop.clock()), cause=cause)
    stops = select(DeliveryRunStop.id).where(DeliveryRunStop.delivery_run_id == run.id)
    ids = list(await session.scalars(stops.order_by(DeliveryRunStop.position)))
    for stop_id, outcome in zip(ids, outcomes, strict=False):
        await complete_stop(
            session, stop_id, outcome, report=StopReport(), cause=cause, receipt_after=RECEIPT_AFTER
        )
    await session.commit()


async def run_map(viewer: Client, run: DeliveryRun) -> Any:
    return (await viewer.ask(RUN_MAP, id=id_of(run)))["data"]["node"]


async def journey_of(viewer: Client, shipment: Shipment) -> str:
    drawn: str = (await viewer.get(JOURNEY, id=id_of(shipment)))["shipment"]["journeyMap"]
    return drawn


async def test_the_map_of_a_run_shows_its_stops_in_order_with_windows_outcomes_and_the_courier(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    run, _ = await plan_round(shop, session, courier)
    await drive(shop, session, run, StopOutcome.DELIVERED, StopOutcome.FAILED)

    root = parse_map((await run_map(clerk, run))["map"])

    assert marks_of(root) == [("1", "done"), ("2", "failed"), ("4", "locked")]
    tags = [tag_of(each) for each in root.iter()]
    assert tags.count("polygon.mark depot") == tags.count("polygon.mark moving") == 2  # map and legend
    assert (tags.count("polyline.gone"), tags.count("polyline.ahead")) == (1, 1)
    texts = texts_of(root)
    assert texts[:3] == ["Delivery run: active", 'Main <b>& · van "<7>"', texts[2]]
    assert texts[2].startswith("2 of 4 stops done · Left 2026-")
    begins = shop.clock().astimezone(shop.settings.locale.zone)
    clock = [(begins + hours * HOUR).strftime("%H:%M") for hours in range(3)]
    rows = texts[texts.index("Not handed over") + 1 :]
    assert rows == [
        *("1", f"{clock[0]} · 闵行区", "Handed over"),
        *("2", f"{clock[0]} · 徐汇区", f"Not handed over · {clock[1]}–{clock[2]}"),
        *("3", rows[7], f"Next stop · from {clock[0]}"),
        *("4", rows[10], f"Stays in its place · until {clock[1]}"),
        "1 stop has no coordinates and is not on the map.",
    ]
    assert (rows[7].endswith(" · 长宁区"), rows[10].endswith(" · 静安区")) == (True, True)


async def test_who_plans_and_the_courier_of_a_run_see_its_map_and_nobody_else(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, courier = await clients.customer(), await clients.staff(Role.COURIER)
    run, _ = await plan_round(shop, session, courier, owners=(customer.account,) * 4)
    other, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    manager, support = await clients.staff(Role.MANAGER), await clients.staff(Role.SUPPORT)

    for viewer in (courier, clerk, manager):
        assert marks_of(parse_map((await run_map(viewer, run))["map"]))
    for viewer in (other, support, customer, await clients.customer(), clients.guest()):
        assert await run_map(viewer, run) is None


async def test_reading_the_map_of_a_run_is_noted_for_each_customer_on_it(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    first, second = await clients.customer(), await clients.customer()
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    owners = (first.account, second.account, first.account, second.account)
    run, _ = await plan_round(shop, session, courier, owners=owners)

    await run_map(clerk, run)

    assert first.account
    assert second.account
    noted = await session.execute(select(Reading.account_id, Reading.fields).order_by(Reading.account_id))
    assert [tuple(row) for row in noted] == [
        (account.id, ["DeliveryRun.map"]) for account in (first.account, second.account)
    ]


async def test_a_customer_sees_the_courier_and_their_district_and_no_door_and_no_other_stop(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, courier = await clients.customer(), await clients.staff(Role.COURIER)
    run, shipments = await plan_round(shop, session, courier, owners=(None, None, None, customer.account))
    await drive(shop, session, run, StopOutcome.DELIVERED)

    drawn = await journey_of(customer, shipments[3])

    root = parse_map(drawn)
    tags = [tag_of(each) for each in root.iter()]
    assert "polygon.mark moving" in tags
    assert "circle.mark goal" in tags
    assert marks_of(root) == []
    assert "上海市 静安区" in texts_of(root)
    delivery = await session.get_one(Delivery, shipments[3].delivery_id)
    for hidden in (*DISTRICTS[:3], delivery.recipient, delivery.phone, delivery.line1):
        assert hidden not in drawn
    for other in shipments[:3]:
        assert (await customer.get(JOURNEY, id=id_of(other)))["shipment"] is None


async def test_where_a_courier_was_is_on_no_map_after_a_day(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customer, courier = await clients.customer(), await clients.staff(Role.COURIER)
    run, shipments = await plan_round(shop, session, courier, owners=(customer.account,) * 4)
    await drive(shop, session, run, StopOutcome.DELIVERED)
    tick(shop.settings.routing.positions_kept)  # and the timer that deletes it has not come yet
    clerk, again = await clients.staff(Role.WAREHOUSE), await clients.customer(customer.account)

    drawn = [(await run_map(clerk, run))["map"], *[await journey_of(again, each) for each in shipments]]

    for each in drawn:
        assert "polygon.mark moving" not in [tag_of(element) for element in parse_map(each).iter()]


async def test_a_journey_goes_from_place_to_place_with_times_and_ends_in_a_district(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customer = await clients.customer()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    await session.execute(
        update(Delivery)
        .where(Delivery.id == shipment.delivery_id)
        .values(province=CHENGDU.province, city=CHENGDU.city, district=CHENGDU.district)
    )
    facts = [
        ("合肥转运中心", None, ShipmentStatus.IN_TRANSIT),
        ("Hub <script>", (30.59, 114.3), ShipmentStatus.IN_TRANSIT),
        ("Hub <script>", (30.6, 114.31), ShipmentStatus.ON_HOLD),
        ("somewhere", None, ShipmentStatus.IN_TRANSIT),
        ("重庆", None, ShipmentStatus.OUT_FOR_DELIVERY),
    ]
    for place, point, status in facts:
        tick(HOUR)
        now = shop.clock()
        latitude, longitude = point or (None, None)
        fact = TrackingFact(status, "", f"{place}{status}", now, place, latitude, longitude)
        await track(session, shipment, fact, now=now)
    await session.commit()

    root = parse_map(await journey_of(await clients.customer(customer.account), shipment))

    assert marks_of(root) == [("1", "done"), ("2", "failed"), ("3", "next")]
    assert has_outlines(root)
    texts = texts_of(root)
    assert texts[0] == f"Parcel {shipment.number}: out for delivery"
    assert texts[1].endswith(" · To 成都市 锦江区")
    rows = texts[texts.index("Trouble") + 1 :]
    assert [row for row in rows if row.endswith("Hub <script>")] == [rows[4], rows[7]]
    assert (rows[0], rows[2]) == ("1", "The parcel is on its way.")
    assert rows[9].endswith(" · somewhere")  # without a number, since nobody knows where that is
    assert rows[11:] == ["3", rows[12], "The courier is bringing the parcel."]
    assert rows[12].endswith(" · 重庆")


async def test_a_parcel_without_any_place_has_a_list_and_no_map(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    nowhere = {"country_code": "XK", "province": "", "city": "", "district": "", "latitude": None}
    await session.execute(update(Delivery).where(Delivery.id == shipment.delivery_id).values(nowhere))
    await session.execute(update(Warehouse).where(Warehouse.id == shipment.warehouse_id).values(nowhere))
    fact = TrackingFact(ShipmentStatus.IN_TRANSIT, "", "on", shop.clock() + MINUTE, "")
    await track(session, shipment, fact, now=shop.clock() + MINUTE)
    await session.commit()

    texts = texts_of(parse_map(await journey_of(customer, shipment)))

    assert texts[-2:] == ["The parcel is on its way.", "No place is known."]


async def test_a_tracking_link_shows_cities_and_nothing_nearer(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customer = await clients.customer()
    shipment = await create_shipment(session, account=customer.account, now=shop.clock())
    tick(MINUTE)
    now = shop.clock()
    fact = TrackingFact(
        ShipmentStatus.IN_TRANSIT, "", "王小二 13900001111", now, "西湖区文三路 8 号", 30.2765, 120.1345
    )
    await track(session, shipment, fact, now=now)
    await session.commit()
    token = await create_link(customer, shipment)

    drawn = (await clients.guest().get(TRACKED, token=token))["trackedShipment"]["journeyMap"]

    root = parse_map(drawn)
    assert texts_of(root)[0] == "Parcel: in transit"
    assert any(text.endswith("杭州市") for text in texts_of(root))
    delivery = await session.get_one(Delivery, shipment.delivery_id)
    personal = (delivery.recipient, delivery.phone, delivery.line1, delivery.district, shipment.number)
    for hidden in (*personal, shipment.tracking_number, "文三路", "王小二", "13900001111"):
        assert hidden
        assert hidden not in drawn
    assert (await clients.guest().get(TRACKED, token="wrong"))["trackedShipment"] is None


async def test_maps_are_in_the_language_of_the_reader(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    courier = await clients.staff(Role.COURIER)
    run, shipments = await plan_round(shop, session, courier)
    clerk = await clients.staff(Role.WAREHOUSE)
    clerk.headers["Accept-Language"] = "zh-CN"

    answer = await clerk.get(BOTH_MAPS, run=id_of(run), parcel=id_of(shipments[0]))

    drawn = parse_map(answer["run"]["map"])
    parcel = parse_map(answer["parcel"]["journeyMap"])
    assert (drawn.get("lang"), texts_of(drawn)[0]) == ("zh", "配送任务：已计划")
    assert texts_of(parcel)[0] == f"包裹 {shipments[0].number}：待揽收"


@pytest.mark.parametrize("document", [RUN_MAPS, JOURNEYS], ids=["runs", "journeys"])
async def test_a_page_of_maps_takes_as_many_statements_as_one_map(
    clients: Clients, shop: Shop, session: AsyncSession, document: str
) -> None:
    for _ in range(3):
        run, _ = await plan_round(shop, session, await clients.staff(Role.COURIER))
        await drive(shop, session, run, StopOutcome.DELIVERED)
    clerk = await clients.staff(Role.WAREHOUSE)
    totals = []
    for first in (1, 3, 12):
        with count_statements(shop) as sent:
            answer = await clerk.get(document, first=first)
        totals.append(sent.total)
        [connection] = answer.values()
        assert len(connection["nodes"]) == (min(first, 3) if document is RUN_MAPS else first)

    assert totals[1:] == totals[:1] * 2
