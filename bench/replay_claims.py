"""Stories of claims and refunds after an order was sent or received."""

from collections.abc import AsyncIterator
from datetime import timedelta

from bench.replay_deliveries import DAY, HOUR, deliver, order_and_receive
from bench.replay_orders import Life
from bench.replay_refusals import StoryRefused


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


async def is_exchanged_though_sold_out(life: Life) -> AsyncIterator[timedelta]:
    """The last unit comes back broken: the customer waits for another one, or takes the money."""
    good = await life.add_good(1)
    await life.place([{"variantId": good, "quantity": 1}])
    await life.pay()
    async for pause in deliver(life):
        yield pause
    ticket = await life.claim("EXCHANGE", "QUALITY_FAULT")
    await life.serve("ticketAgree", id=ticket)
    yield DAY
    await life.send_back(ticket)
    yield DAY
    await life.receive_back(ticket, damaged=True)
    yield HOUR
    if life.random.random() < 0.5:
        await life.buy("ticketReplacementChoose", id=ticket, choice="MONEY")
        return
    await life.buy("ticketReplacementChoose", id=ticket, choice="WAIT")
    await life.receive_goods(good, 5)
    yield DAY
    async for pause in deliver(life):
        yield pause


async def is_sent_again_and_breaks(life: Life) -> AsyncIterator[timedelta]:
    """What was sent as a replacement is claimed, too."""
    async for pause in is_sent_again(life):
        yield pause
    yield life.soon()
    ticket = await life.claim_newest_parcel("RETURN_REFUND", "QUALITY_FAULT")
    await life.serve("ticketAgree", id=ticket)
    yield DAY
    await life.send_back(ticket)
    yield DAY
    await life.receive_back(ticket, damaged=True)


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


async def is_lost(life: Life) -> AsyncIterator[timedelta]:
    """A parcel that never arrives: its carrier says so, or the customer claims it."""
    await life.place(life.choose_lines(lines=1))
    await life.pay()
    yield life.soon()
    await life.pack()
    await life.dispatch()
    yield DAY * 2
    if life.random.random() < 0.5:
        await life.track("EXPIRED")
        return
    await life.lose_parcels()
    yield DAY * 12
    again = life.random.random() < 0.5
    ticket = await life.claim("RESHIP" if again else "REFUND_ONLY", "NOT_RECEIVED")
    await life.serve("ticketAgree", id=ticket)
    if again:
        async for pause in deliver(life):
            yield pause


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


async def is_claimed_by_its_category(life: Life) -> AsyncIterator[timedelta]:
    """One good may come back for 30 days without a reason, the other one never; both when they are broken."""
    lines = [{"variantId": good, "quantity": 1} for good in (life.shop.lasting, life.shop.hygienic)]
    await life.place(lines)
    await life.pay()
    yield life.soon()
    async for pause in deliver(life):
        yield pause
    reason = life.random.choice(["NO_REASON", "QUALITY_FAULT"])
    yield DAY * (20 if reason == "NO_REASON" else 10)
    try:
        await life.claim("RETURN_REFUND", "NO_REASON", lines=2)
    except StoryRefused:
        pass
    else:
        raise StoryRefused("ticketOpen: what is excluded was taken back without a reason")
    ticket = await life.claim("RETURN_REFUND", reason, lines=1 if reason == "NO_REASON" else 2)
    await life.serve("ticketAgree", id=ticket)
    yield DAY
    await life.send_back(ticket)
    yield DAY
    await life.receive_back(ticket)


async def is_lost_again(life: Life) -> AsyncIterator[timedelta]:
    """A lost parcel is sent again and lost once more; the customer waits for another one, or takes money."""
    methods = life.random.choice([["SANDBOX"], ["CASH_ON_DELIVERY"], ["SANDBOX", "CASH_ON_DELIVERY"]])
    lines = life.choose_lines(lines=life.random.randint(1, 2))
    await life.place(lines, methods=methods)
    await life.pay()
    yield life.soon()
    await life.pack(parcels=2)
    await life.dispatch()
    first = (await life.shipments("PENDING"))[0]
    life.lost.add(first["id"])
    await life.track("DELIVERED")
    await life.collect()
    yield DAY * 12
    ticket = await life.claim_parcel("RESHIP", "NOT_RECEIVED", first)
    await life.serve("ticketAgree", id=ticket)
    yield life.soon()
    await life.pack()
    await life.dispatch()
    yield DAY
    if life.random.random() < 0.3:
        await life.track("DELIVERED")
        await life.collect()
        return
    await life.track("EXPIRED")
    for shipment in await life.shipments("EXPIRED"):
        await life.serve("shipmentEnd", id=shipment["id"])
    yield HOUR
    if life.random.random() < 0.5:
        await life.buy("ticketReplacementChoose", id=ticket, choice="MONEY")
        return
    await life.buy("ticketReplacementChoose", id=ticket, choice="WAIT")
    yield DAY
    async for pause in deliver(life):
        yield pause


async def is_delivered_by_mistake(life: Life) -> AsyncIterator[timedelta]:
    """Tracking is corrected, and the parcel arrives later, or comes back after all."""
    await life.place(life.choose_lines(), methods=life.random.choice([["SANDBOX"], ["CASH_ON_DELIVERY"]]))
    await life.pay()
    yield life.soon()
    await life.pack()
    await life.dispatch()
    yield life.soon()
    await life.track("DELIVERED")
    yield HOUR
    for shipment in await life.shipments("DELIVERED"):
        await life.serve("shipmentCorrect", id=shipment["id"], reason="It was another house.")
    yield DAY
    if life.random.random() < 0.7:
        await life.track("DELIVERED")
        await life.collect()
        return
    await life.track("RETURNED")
    await life.inspect()
    for shipment in await life.shipments("RETURNED"):
        await life.serve("shipmentEnd", id=shipment["id"])


async def is_claimed_by_a_guest(life: Life) -> AsyncIterator[timedelta]:
    """A guest claims as a customer does, by the secret of the order."""
    await life.place(life.choose_lines(), guest=True)
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    async for pause in deliver(life):
        yield pause
    yield life.soon()
    kind = life.random.choice(["EXCHANGE", "RESHIP", "REFUND_ONLY", "RETURN_REFUND"])
    ticket = await life.claim(kind, "WRONG_ITEM" if kind != "REFUND_ONLY" else "MISSING_ITEM", units=1)
    if life.random.random() < 0.2:
        await life.buy("ticketCancel", id=ticket)
        return
    await life.serve("ticketAgree", id=ticket)
    if kind in {"EXCHANGE", "RETURN_REFUND"}:
        yield DAY
        await life.send_back(ticket)
        yield DAY
        await life.receive_back(ticket)
    async for pause in deliver(life):
        yield pause
