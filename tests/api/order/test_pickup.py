"""Collecting through the front door: places in the quote, the code for the customer only, the counter."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Delivery, Order, OrderStatus, Role
from tests.api.order.documents import LIST, create_variant
from tests.clients import Clients
from tests.factories.account import create_account
from tests.factories.order import a_variant, create_order, pack, pay
from tests.factories.pickup import collect_at, create_pickup_place, hand_over, make_ready
from tests.factories.shipment import pack as pack_units
from tests.given import cny, id_of, refusals
from tests.observe import run_until_idle

QUOTE = """query ($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) {
  total { amount } shipping { amount } lines { backordered } problems { code field }
  pickupPlaces { ready orderable warehouse { id name city pickupHours { weekday opens closes } } } } }"""
PLACE = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id number deliveries { id method address { city line1 } pickup { status code place { name } } } }
  userErrors { code field message } } }"""
READ = """query ($id: ID!) { order(id: $id) { status displayStatus fulfilmentStatus deliveries {
  pickup { status code dueAt } shipments { status } } timeline { message } } }"""
READY = """mutation ($input: PickupReadyInput!) { pickupReady(input: $input) {
  delivery { pickup { status code } } userErrors { code field message } } }"""
HAND_OVER = """mutation ($input: PickupHandOverInput!) { pickupHandOver(input: $input) {
  delivery { pickup { status } } userErrors { code field message } } }"""
RENEW = """mutation ($input: PickupCodeRenewInput!) { pickupCodeRenew(input: $input) {
  delivery { pickup { code } } userErrors { code field } } }"""


def pickup_in(answer: dict[str, Any]) -> dict[str, Any]:
    [delivery] = answer["order"]["deliveries"]
    found: dict[str, Any] = delivery["pickup"]
    return found


async def test_an_order_is_collected_by_its_code(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    place, account = await create_pickup_place(session), await create_account(session)
    other = await create_account(session)
    await session.commit()
    tea = await create_variant(shop, stock={"SHOP": 1})
    customer, stranger = await clients.customer(account), await clients.customer(other)
    clerk = await clients.staff(Role.WAREHOUSE)
    lines = [{"variantId": id_of(tea), "quantity": 1}]
    deliveries = [{"method": "PICKUP", "pickupPlaceId": id_of(place)}]

    quote = (await customer.get(QUOTE, input={"lines": lines, "deliveries": deliveries}))["checkoutQuote"]
    assert (quote["total"], quote["shipping"]) == ({"amount": "99.00"}, {"amount": "0.00"})
    assert quote["problems"] == []
    [found] = quote["pickupPlaces"]
    assert (found["ready"], found["orderable"]) == (True, True)
    assert found["warehouse"]["pickupHours"] == [{"weekday": "MONDAY", "opens": "09:00", "closes": "18:00"}]

    placed = await customer.do(
        PLACE,
        lines=lines,
        deliveries=deliveries,
        payments=[{"method": "SANDBOX", "amount": cny("99.00")}],
        idempotencyKey="first",
    )
    assert placed["userErrors"] == []
    [delivery] = placed["order"]["deliveries"]
    assert delivery["pickup"] == {"status": "PREPARING", "code": None, "place": {"name": place.name}}
    order = (await session.scalars(select(Order))).one()
    await pay(session, order, now=shop.clock())
    await pack(session, order, now=shop.clock())
    await session.commit()

    ready = await clerk.do(READY, deliveryId=delivery["id"])
    assert ready == {"delivery": {"pickup": {"status": "READY", "code": None}}, "userErrors": []}
    shown = await customer.get(READ, id=placed["order"]["id"])
    assert shown["order"]["displayStatus"] == "READY_FOR_PICKUP"
    found = await customer.get(LIST, filter={"displayStatus": ["READY_FOR_PICKUP"]})
    assert [node["number"] for node in found["orders"]["nodes"]] == [order.number]
    waiting = pickup_in(shown)
    code = waiting["code"]
    assert (waiting["status"], len(code)) == ("READY", 6)
    assert pickup_in(await clerk.get(READ, id=placed["order"]["id"]))["code"] is None
    assert (await stranger.get(READ, id=placed["order"]["id"]))["order"] is None
    assert refusals(await stranger.do(RENEW, deliveryId=delivery["id"])) == [("NOT_FOUND", "deliveryId")]
    assert refusals(await clerk.do(READY, deliveryId=delivery["id"])) == [("WRONG_STATE", "deliveryId")]

    wrong = "000000" if code != "000000" else "111111"
    counter = {"deliveryId": delivery["id"], "placeId": id_of(place)}
    for _ in range(5):
        assert refusals(await clerk.do(HAND_OVER, **counter, code=wrong)) == [("INVALID", "code")]
    assert refusals(await clerk.do(HAND_OVER, **counter, code=code)) == [("LIMIT_REACHED", "code")]
    renewed = await customer.do(RENEW, deliveryId=delivery["id"])
    code = renewed["delivery"]["pickup"]["code"]

    handed_over = await clerk.do(HAND_OVER, **counter, code=code)

    assert handed_over == {"delivery": {"pickup": {"status": "COLLECTED"}}, "userErrors": []}
    await run_until_idle(shop)
    after = (await customer.get(READ, id=placed["order"]["id"]))["order"]
    assert after["fulfilmentStatus"] == "DELIVERED"
    assert after["deliveries"][0]["pickup"]["code"] is None
    assert after["deliveries"][0]["shipments"] == [{"status": "DELIVERED"}]


async def test_a_pickup_is_prepared_while_the_rest_of_what_was_collected_waits(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    place, now = await create_pickup_place(session), shop.clock()
    tea = await a_variant(session, stock={"SHOP": 3})
    order = await create_order(
        session,
        account=customer.account,
        lines=[(tea, 3)],
        deliveries=[collect_at(place)],
        status=OrderStatus.CONFIRMED,
        now=now,
    )
    await pack_units(session, order, 2, now=now)
    [delivery] = await session.scalars(select(Delivery))
    await make_ready(session, delivery, now=now)
    await hand_over(session, delivery, place.id, now=now)
    await session.commit()

    rest_waits = pickup_in(await customer.get(READ, id=id_of(order)))
    await pack_units(session, order, 1, now=now)
    await session.commit()
    rest_is_packed = pickup_in(await customer.get(READ, id=id_of(order)))
    await make_ready(session, delivery, now=now)
    await hand_over(session, delivery, place.id, now=now)
    await session.commit()
    all_collected = pickup_in(await customer.get(READ, id=id_of(order)))

    shown = [each["status"] for each in (rest_waits, rest_is_packed, all_collected)]
    assert shown == ["PREPARING", "PREPARING", "COLLECTED"]


async def test_what_needs_no_shipping_is_ordered_without_an_address(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session)
    await session.commit()
    card = await create_variant(shop, requires_shipping=False)
    customer = await clients.customer(account)

    placed = await customer.do(
        PLACE,
        lines=[{"variantId": id_of(card), "quantity": 1}],
        payments=[{"method": "SANDBOX", "amount": cny("99.00")}],
        idempotencyKey="first",
    )

    assert placed["userErrors"] == []
    assert placed["order"]["deliveries"] == []
    order = (await session.scalars(select(Order))).one()
    await pay(session, order, now=shop.clock())
    await session.commit()
    await run_until_idle(shop)
    after = (await customer.get(READ, id=placed["order"]["id"]))["order"]
    assert (after["fulfilmentStatus"], after["deliveries"]) == ("DELIVERED", [])
