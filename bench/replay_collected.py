"""Stories of orders that are collected at a shop, and of what is given back there."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from bench.replay_deliveries import DAY, HOUR
from bench.replay_orders import Life
from bench.replay_refusals import StoryRefused
from models import Role

CODES = "query($id: ID!) { order(id: $id) { deliveries { id pickup { status code } } } }"


async def is_collected(life: Life) -> AsyncIterator[timedelta]:
    """Collected by its code, after a wrong one; cash may be due at the counter, and something come back."""
    async for pause in wait_at_the_counter(life):
        yield pause
    await hand_over(life)
    yield life.soon()
    if life.random.random() < 0.5:
        ticket = await life.claim("RETURN_REFUND", "QUALITY_FAULT", units=1)
        await life.serve("ticketAgree", id=ticket)
        await life.send_back(ticket)
        yield DAY
        await life.receive_back(ticket)


async def is_not_collected(life: Life) -> AsyncIterator[timedelta]:
    """Left to the timer, or cancelled by the customer."""
    async for pause in wait_at_the_counter(life):
        yield pause
    if life.random.random() < 0.3:
        [delivery] = (await life.read())["deliveries"]
        await life.buy("pickupCancel", deliveryId=delivery["id"], reason="No time.")


async def is_collected_in_exchange(life: Life) -> AsyncIterator[timedelta]:
    """What replaces a broken unit waits at the counter, too, and may be left there."""
    async for pause in wait_at_the_counter(life):
        yield pause
    await hand_over(life)
    yield life.soon()
    ticket = await life.claim("EXCHANGE", "QUALITY_FAULT", units=1)
    await life.serve("ticketAgree", id=ticket)
    await life.send_back(ticket)
    yield DAY
    await life.receive_back(ticket)
    yield HOUR
    await life.pack()
    await make_ready(life)
    yield life.soon()
    if life.random.random() < 0.6:
        await hand_over(life)


async def wait_at_the_counter(life: Life) -> AsyncIterator[timedelta]:
    """Placed, paid, packed and ready to be collected."""
    methods = life.random.choice([["SANDBOX"], ["SANDBOX", "CASH_ON_DELIVERY"], ["CASH_ON_DELIVERY"]])
    deliveries = [{"method": "PICKUP", "pickupPlaceId": life.shop.warehouse}]
    await life.place(life.choose_lines(), deliveries=deliveries, methods=methods)
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    await life.pack()
    await make_ready(life)
    yield life.soon()


async def make_ready(life: Life) -> None:
    """Make ready what of its deliveries is packed and is not ready yet."""
    for delivery in await waiting_deliveries(life, "PREPARING"):
        await life.serve("pickupReady", deliveryId=delivery["id"])


async def hand_over(life: Life) -> None:
    """Hand over what is ready, for the cash that is due, once the code is the right one."""
    clerk = await life.shop.clients.staff(Role.WAREHOUSE)
    due = {each["id"]: each["cashDue"] for each in (await life.read())["deliveries"]}
    for delivery in await waiting_deliveries(life, "READY"):
        code = delivery["pickup"]["code"]
        counter = {"deliveryId": delivery["id"], "placeId": life.shop.warehouse, "cash": due[delivery["id"]]}
        if life.random.random() < 0.3:
            wrong = "000000" if code != "000000" else "111111"
            try:
                await life.do(clerk, "pickupHandOver", **counter, code=wrong)
            except StoryRefused:
                pass
            else:
                raise StoryRefused("pickupHandOver: a wrong code was taken")
        await life.do(clerk, "pickupHandOver", **counter, code=code)


async def waiting_deliveries(life: Life, status: str) -> list[Any]:
    """Its deliveries that are collected and have come that far, as the customer sees them."""
    found = (await life.ask(life.customer, CODES, id=life.order_id))["order"]["deliveries"]
    return [each for each in found if each["pickup"] and each["pickup"]["status"] == status]
