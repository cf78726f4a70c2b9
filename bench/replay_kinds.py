"""The kinds of orders of a replay: each is a story of what people do, with the times between."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta

from bench.replay_orders import ABROAD, HOME, WORK, Life
from models import PaymentStatus

Story = Callable[[Life], AsyncIterator[timedelta]]
"""Yields how long nothing is done until its next step."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def deliver(life: Life, *, parcels: int = 1) -> AsyncIterator[timedelta]:
    """From the warehouse to the door."""
    await life.pack(parcels=parcels)
    yield life.soon()
    await life.dispatch()
    yield life.soon()
    await life.track("DELIVERED")
    await life.collect()


async def order_and_receive(life: Life, *, lines: int = 0, parcels: int = 1) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines(lines=lines))
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    async for pause in deliver(life, parcels=parcels):
        yield pause


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


async def moves_house(life: Life) -> AsyncIterator[timedelta]:
    await life.place(life.choose_lines())
    await life.pay()
    yield life.soon()
    delivery = (await life.read())["deliveries"][0]
    await life.buy("orderAddressChange", id=delivery["id"], address={"postal": WORK})
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
        yield DAY
        await life.track("DELIVERED")
        await life.collect()
    else:
        await life.complete_stops(run, "DELIVERED")
        await life.collect()


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
    await life.serve(
        "stockAdjust",
        variantId=life.shop.scarce,
        warehouseId=life.shop.warehouse,
        kind="RECEIVED",
        quantity=10,
        reason="A truck has come.",
    )
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


async def come_back(life: Life) -> AsyncIterator[timedelta]:
    yield life.soon()
    await life.pack()
    await life.dispatch()
    yield life.soon()
    await life.track("DELIVERY_FAILED")
    yield DAY
    await life.track("RETURNING")
    yield DAY
    await life.track("RETURNED")


async def is_taken_back(life: Life) -> AsyncIterator[timedelta]:
    """A return for the money, with all the ways in which the staff and the customer may be slow."""
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    reason = life.random.choice(["NO_REASON", "QUALITY_FAULT", "WRONG_ITEM", "DAMAGED", "NOT_AS_DESCRIBED"])
    ticket = await life.claim("RETURN_REFUND", reason, units=life.random.randint(1, 3))
    yield life.soon()
    await life.serve("ticketAgree", id=ticket)
    if life.random.random() < 0.2:
        return  # it is never sent back, and the timer cancels the ticket
    yield life.soon()
    await life.send_back(ticket)
    if life.random.random() < 0.2:
        return  # it is never looked at, and the timer accepts it
    yield DAY
    await life.receive_back(ticket, damaged=life.random.random() < 0.3)


async def is_exchanged(life: Life) -> AsyncIterator[timedelta]:
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    ticket = await life.claim("EXCHANGE", "QUALITY_FAULT", units=1)
    await life.serve("ticketAgree", id=ticket)
    yield life.soon()
    await life.send_back(ticket)
    yield DAY
    await life.receive_back(ticket)
    async for pause in deliver(life):
        yield pause


async def is_sent_again(life: Life) -> AsyncIterator[timedelta]:
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    ticket = await life.claim("RESHIP", "MISSING_ITEM", units=1)
    await life.serve("ticketAgree", id=ticket)
    async for pause in deliver(life):
        yield pause


async def is_refunded_without_a_return(life: Life) -> AsyncIterator[timedelta]:
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    ticket = await life.claim("REFUND_ONLY", life.random.choice(["QUALITY_FAULT", "MISSING_ITEM", "DAMAGED"]))
    if life.random.random() < 0.5:  # otherwise the timer agrees
        await life.serve("ticketAgree", id=ticket)


async def is_withdrawn(life: Life) -> AsyncIterator[timedelta]:
    """Units are taken back by a ticket before they are packed; the rest is sent."""
    await life.place(life.choose_lines(lines=2))
    await life.pay()
    yield life.soon()
    ticket = await life.claim("REFUND_ONLY", "NO_REASON")
    await life.serve("ticketAgree", id=ticket)
    yield life.soon()
    async for pause in deliver(life):
        yield pause


async def is_disputed(life: Life) -> AsyncIterator[timedelta]:
    """The claim is refused, and a manager decides."""
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    ticket = await life.claim("RETURN_REFUND", "QUALITY_FAULT", units=1)
    await life.serve("ticketRefuse", id=ticket, reason="Nothing can be seen.")
    yield life.soon()
    await life.buy("ticketEscalate", id=ticket)
    agreed = life.random.random() < 0.5
    await life.serve("ticketDecide", id=ticket, agreed=agreed, reason="As it was said.")
    if agreed:
        yield DAY
        await life.send_back(ticket)
        yield DAY
        await life.receive_back(ticket)


async def comes_back_worn(life: Life) -> AsyncIterator[timedelta]:
    """What came back is not accepted, and a manager decides."""
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    ticket = await life.claim("RETURN_REFUND", "NO_REASON", units=1)
    await life.serve("ticketAgree", id=ticket)
    yield DAY
    await life.send_back(ticket)
    yield DAY
    await life.receive_back(ticket, accepted=False)
    yield DAY
    await life.buy("ticketEscalate", id=ticket)
    await life.serve("ticketDecide", id=ticket, agreed=life.random.random() < 0.5, reason="We have seen it.")


async def takes_a_claim_back(life: Life) -> AsyncIterator[timedelta]:
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    ticket = await life.claim("RETURN_REFUND", "NO_REASON", units=1)
    yield HOUR
    await life.buy("ticketCancel", id=ticket)


async def gets_goodwill(life: Life) -> AsyncIterator[timedelta]:
    """The staff give a part or all of the money back."""
    async for pause in order_and_receive(life):
        yield pause
    yield life.soon()
    await life.buy("orderReceiptConfirm", id=life.order_id)
    amount = (await life.read())["total"] if life.random.random() < 0.4 else MINUTE_OF_PATIENCE
    await life.serve(
        "paymentRefund",
        orderId=life.order_id,
        amount=dict(amount),
        reason="Sorry.",
        idempotencyKey=f"goodwill-{life.index}",
    )


MINUTE_OF_PATIENCE = {"amount": "1.00", "currencyCode": "CNY"}


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
    moves_house: 2,
    goes_to_two_addresses: 4,
    is_paid_at_the_door: 3,
    is_driven_by_a_courier: 2,
    waits_for_goods: 3,
    is_refused_at_the_door: 2,
    cannot_be_delivered: 2,
    is_taken_back: 5,
    is_exchanged: 3,
    is_sent_again: 2,
    is_refunded_without_a_return: 3,
    is_withdrawn: 2,
    is_disputed: 2,
    comes_back_worn: 2,
    takes_a_claim_back: 1,
    gets_goodwill: 2,
    is_of_a_guest: 3,
}
"""Each kind of order, and how many of them there are for one of the rarest."""
