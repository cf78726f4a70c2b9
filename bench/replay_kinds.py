"""The kinds of orders of a replay: each is a story of what people do, with the times between."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta

from bench.replay_claims import (
    comes_back_worn,
    gets_goodwill,
    is_claimed_by_a_guest,
    is_claimed_by_its_category,
    is_delivered_by_mistake,
    is_disputed,
    is_exchanged,
    is_exchanged_though_sold_out,
    is_lost,
    is_lost_again,
    is_refunded_without_a_return,
    is_sent_again,
    is_sent_again_and_breaks,
    is_taken_back,
    is_withdrawn,
    takes_a_claim_back,
)
from bench.replay_collected import is_collected, is_collected_in_exchange, is_not_collected
from bench.replay_deliveries import DAY, HOUR, deliver, order_and_receive
from bench.replay_documents import ABROAD, HOME, NEXT_DOOR, WORK
from bench.replay_money import is_not_refunded_at_first, is_paid_in_another_way, is_paid_with_a_gift_card
from bench.replay_orders import Life
from models import PaymentStatus

Story = Callable[[Life], AsyncIterator[timedelta]]
"""Yields how long nothing is done until its next step."""


async def is_kept(life: Life) -> AsyncIterator[timedelta]:
    async for pause in order_and_receive(life, parcels=life.random.randint(1, 2)):
        yield pause
    if life.random.random() < 0.5:  # otherwise receipt is confirmed by the timer
        yield life.soon()
        await life.buy("orderReceiptConfirm", id=life.order_id)


async def is_sent_by_a_carrier(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(), deliveries=[{"address": {"postal": ABROAD}}])
    await life.pay()
    yield life.soon()
    await life.pack()
    yield HOUR
    await life.dispatch("SIMULATED")


async def is_never_paid(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines())
    yield HOUR / 4
    if life.random.random() < 0.5:
        await life.pay(status=PaymentStatus.FAILED)


async def is_paid_in_part(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(), methods=["SANDBOX"] * 3)
    yield HOUR / 4
    await life.pay(only=life.random.randint(1, 2))


async def is_cancelled(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(), methods=["SANDBOX"] * life.random.randint(1, 2))
    yield HOUR / 4
    await life.pay(only=life.random.randint(0, 2))
    yield HOUR / 12
    if life.random.random() < 0.3:
        await life.serve("orderHold", id=life.order_id, reason="Somebody calls.")
        yield HOUR / 12
    await life.buy("orderCancel", id=life.order_id, reason="Changed my mind.")


async def loses_a_line(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(lines=3))
    await life.pay()
    yield life.soon()
    line = (await life.read())["lines"][0]
    cancelled = [{"orderLineId": line["id"], "quantity": life.random.randint(1, line["quantity"])}]
    await life.buy("orderLinesCancel", id=life.order_id, lines=cancelled, reason="Too much.")
    yield life.soon()
    async for pause in deliver(life):
        yield pause


async def is_edited(life: Life) -> AsyncIterator[timedelta]:
    """Other quantities and one more good; what it costs more is paid, or never."""
    bought = life.choose_lines(lines=2)
    await life.place(bought)
    yield HOUR / 12
    if life.random.random() < 0.7:
        await life.pay()
        yield life.soon()
    first = (await life.read())["lines"][0]
    more = life.random.choice([good for good in life.shop.goods if good != bought[0]["variantId"]])
    changes = {
        "lines": [{"orderLineId": first["id"], "quantity": life.random.randint(0, 4)}],
        "additions": [{"variantId": more, "quantity": 1}] if life.random.random() < 0.6 else [],
    }
    await life.edit(changes)
    yield HOUR / 12
    if life.random.random() < 0.8:
        await life.pay()
    yield DAY  # what was not paid by then is dropped
    if (await life.read())["status"] == "CONFIRMED":
        async for pause in deliver(life):
            yield pause


async def moves_house(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(), deliveries=[{"address": {"postal": HOME}}])
    await life.pay()
    yield life.soon()
    delivery = (await life.read())["deliveries"][0]
    await life.buy("orderAddressChange", id=delivery["id"], address={"postal": NEXT_DOOR})
    async for pause in deliver(life):
        yield pause


async def goes_to_two_addresses(life: Life) -> AsyncIterator[timedelta]:
    """Paid by three payments, one of them cash."""
    one, two = life.choose_lines(lines=2)
    deliveries = [
        {"address": {"postal": HOME}, "method": "EXPRESS", "lines": [one]},
        {"address": {"postal": WORK}, "method": "STANDARD", "lines": [two]},
    ]
    methods = ["SANDBOX", "SANDBOX", "CASH_ON_DELIVERY"]
    await life.place([one, two], deliveries=deliveries, methods=methods)
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    async for pause in deliver(life):
        yield pause


async def is_paid_at_the_door(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(), methods=["CASH_ON_DELIVERY"])
    yield life.soon()
    async for pause in deliver(life, parcels=2):
        yield pause


async def is_driven_by_a_courier(life: Life) -> AsyncIterator[timedelta]:
    """Some addresses are not found at first, and the parcel is driven again."""
    await life.place(life.choose_lines(), methods=["SANDBOX", "CASH_ON_DELIVERY"])
    await life.pay()
    yield life.soon()
    await life.pack(parcels=2)
    run = await life.drive()
    yield HOUR
    if life.random.random() < 0.3:
        await life.complete_stops(run, "FAILED")
        life.courier = None
        yield DAY
        await life.track("DELIVERED")
        await life.collect()
    else:
        await life.complete_stops(run, "DELIVERED")
        await life.collect()


async def needs_no_shipping(life: Life) -> AsyncIterator[timedelta]:
    """A service by itself, or beside goods; some of them do not please."""
    service = {"variantId": life.shop.service, "quantity": life.random.randint(1, 2)}
    beside = life.random.random() < 0.5
    if beside:
        await life.place([service, *life.choose_lines(lines=1)])
    else:
        await life.place([service], deliveries=[])
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    if beside:
        async for pause in deliver(life):
            yield pause
    yield DAY
    if life.random.random() < 0.4:
        ticket = await life.claim("REFUND_ONLY", "QUALITY_FAULT", units=1)
        await life.serve("ticketAgree", id=ticket)


async def waits_for_goods(life: Life) -> AsyncIterator[timedelta]:
    """More is ordered than there is; it is sent when goods have come, or cancelled before."""
    plenty = life.choose_lines(lines=1)
    await life.place([*plenty, {"variantId": life.shop.scarce, "quantity": life.random.randint(3, 9)}])
    yield HOUR / 4
    await life.pay()
    yield DAY
    if life.random.random() < 0.2:
        await life.buy("orderCancel", id=life.order_id, reason="Too slow.")
        return
    await life.receive_goods(life.shop.scarce, 10)
    yield DAY
    async for pause in deliver(life):
        yield pause


async def is_refused_at_the_door(life: Life) -> AsyncIterator[timedelta]:
    """Unpaid; the parcel comes back, and the warehouse or the timer ends it."""
    await life.place(life.choose_lines(), methods=["CASH_ON_DELIVERY"])
    async for pause in come_back(life):
        yield pause


async def cannot_be_delivered(life: Life) -> AsyncIterator[timedelta]:
    """Paid in advance; the parcel comes back."""
    await life.place(life.choose_lines())
    await life.pay()
    async for pause in come_back(life):
        yield pause


async def come_back(life: Life, *, only: int | None = None) -> AsyncIterator[timedelta]:
    """Parcels come back. They are left to the timer, or inspected and then ended or sent again."""
    yield life.soon()
    await life.pack(parcels=2)
    await life.dispatch()
    yield life.soon()
    await life.track("DELIVERY_FAILED", only=only)
    yield DAY
    await life.track("RETURNING", only=only)
    if only:
        await life.deliver_all_but(only)
    yield DAY
    for shipment in await life.shipments("RETURNING"):
        await life.add_event(shipment, "RETURNED")
    yield DAY
    if life.random.random() < 0.4:
        return
    await life.inspect()
    what_next = life.random.choice(["shipmentEnd", "shipmentSendAgain", ""])
    if what_next:
        for shipment in await life.shipments("RETURNED"):
            await life.serve(what_next, id=shipment["id"])
    if what_next == "shipmentSendAgain":
        async for pause in deliver(life):
            yield pause


async def comes_back_in_part(life: Life) -> AsyncIterator[timedelta]:
    """One of two parcels arrives, the other one is refused; a part is paid in cash."""
    methods = life.random.choice([["CASH_ON_DELIVERY"], ["SANDBOX"], ["SANDBOX", "CASH_ON_DELIVERY"]])
    lines = [line | {"quantity": 2} for line in life.choose_lines(lines=2)]
    await life.place(lines, methods=methods)
    await life.pay()
    async for pause in come_back(life, only=1):
        yield pause


async def is_of_a_guest(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(), guest=True)
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    async for pause in deliver(life):
        yield pause
    yield life.soon()
    if life.random.random() < 0.5:
        ticket = await life.claim("RETURN_REFUND", "NO_REASON", units=1)
        await life.serve("ticketAgree", id=ticket)
        await life.send_back(ticket)
        yield DAY
        await life.receive_back(ticket)


KINDS: Mapping[Story, int] = {
    is_kept: 8,
    is_sent_by_a_carrier: 4,
    is_never_paid: 3,
    is_paid_in_part: 2,
    is_cancelled: 3,
    loses_a_line: 3,
    is_edited: 4,
    moves_house: 2,
    goes_to_two_addresses: 4,
    is_paid_at_the_door: 3,
    is_driven_by_a_courier: 2,
    waits_for_goods: 3,
    needs_no_shipping: 2,
    is_refused_at_the_door: 2,
    cannot_be_delivered: 2,
    comes_back_in_part: 3,
    is_taken_back: 5,
    is_exchanged: 3,
    is_sent_again: 2,
    is_sent_again_and_breaks: 1,
    is_exchanged_though_sold_out: 2,
    is_lost: 2,
    is_refunded_without_a_return: 3,
    is_withdrawn: 2,
    is_disputed: 2,
    comes_back_worn: 2,
    takes_a_claim_back: 1,
    gets_goodwill: 2,
    is_of_a_guest: 3,
    is_claimed_by_a_guest: 2,
    is_claimed_by_its_category: 2,
    is_lost_again: 2,
    is_delivered_by_mistake: 2,
    is_collected: 3,
    is_not_collected: 2,
    is_collected_in_exchange: 1,
    is_paid_with_a_gift_card: 3,
    is_paid_in_another_way: 3,
    is_not_refunded_at_first: 2,
}
"""Each kind of order, and how many of them there are for one of the rarest."""
