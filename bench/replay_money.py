"""Stories of money on other ways: store credit, other methods of payment, refunds that do not arrive."""

from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import update

from bench.replay_amounts import cents_of, share_payments
from bench.replay_deliveries import DAY, HOUR, deliver
from bench.replay_orders import Life
from bench.replay_refusals import StoryRefused
from models import SandboxCharge

CREDIT = 6_000
"""What a gift card is worth, in cents."""


async def is_paid_with_a_gift_card(life: Life) -> AsyncIterator[timedelta]:
    """A part of it, or all; it is kept, cancelled, or given back into store credit or the way it was paid."""
    issued = await life.serve(
        "giftCardIssue",
        "code",
        amount={"amount": f"{CREDIT / 100:.2f}", "currencyCode": "CNY"},
        reason="A competition.",
        idempotencyKey=f"card-{life.index}",
        expiresAt=(life.shop.clock() + 30 * DAY).isoformat(),
    )
    await life.buy("giftCardRedeem", code=issued["code"])
    await life.place(life.choose_lines(), credit=CREDIT)
    yield HOUR / 4
    where = life.random.choice(["ORIGINAL", "STORE_CREDIT"])
    if life.random.random() < 0.2:
        await life.buy("orderCancel", id=life.order_id, reason="Changed my mind.", refundTo=where)
        return
    await life.pay()
    yield life.soon()
    async for pause in deliver(life):
        yield pause
    if life.random.random() < 0.5:
        yield life.soon()
        ticket = await life.claim("RETURN_REFUND", "QUALITY_FAULT", units=1)
        await life.buy("ticketRefundChoose", id=ticket, refundTo=where)
        await life.serve("ticketAgree", id=ticket)
        yield DAY
        await life.send_back(ticket)
        yield DAY
        await life.receive_back(ticket)


async def is_paid_in_another_way(life: Life) -> AsyncIterator[timedelta]:
    """The methods of what is still unpaid are changed, before anything is paid or after cash was agreed."""
    first, then = life.random.choice(
        [
            (["SANDBOX"], ["CASH_ON_DELIVERY"]),
            (["SANDBOX", "SANDBOX"], ["SANDBOX", "CASH_ON_DELIVERY"]),
            (["CASH_ON_DELIVERY"], ["SANDBOX"]),
            (["CASH_ON_DELIVERY"], ["SANDBOX", "CASH_ON_DELIVERY"]),
        ]
    )
    await life.place(life.choose_lines(), methods=first)
    yield HOUR / 12
    if len(first) == 2:
        await life.pay(only=1)
    order = await life.read()
    unpaid = cents_of(order["total"]) - sum(cents_of(each["captured"]) for each in order["payments"])
    payments = share_payments(then, unpaid)
    await life.buy("orderPaymentsChange", id=life.order_id, payments=payments)
    yield HOUR / 12
    if life.random.random() < 0.8:  # otherwise it is cancelled, or to be paid in cash again
        await life.pay()
    yield DAY
    if (await life.read())["status"] == "CONFIRMED":
        async for pause in deliver(life):
            yield pause


async def is_not_refunded_at_first(life: Life) -> AsyncIterator[timedelta]:
    """The provider refuses a refund: staff transfer or redirect it, or it goes through when it is retried."""
    await life.place(life.choose_lines(lines=2), methods=["SANDBOX"] * life.random.randint(1, 2))
    yield HOUR / 4
    await life.pay()
    yield life.soon()
    await let_refunds_fail(life, True)
    ticket = ""
    if life.random.random() < 0.5:
        await life.buy("orderCancel", id=life.order_id, reason="Changed my mind.")
    else:
        async for pause in deliver(life):
            yield pause
        ticket = await life.claim("REFUND_ONLY", "DAMAGED")
        await life.serve("ticketAgree", id=ticket)
    yield HOUR
    failed = await failed_refunds(life)
    if not failed:
        raise StoryRefused("a refund was to fail")
    match life.random.choice(["transferred", "into store credit", "retried", "retried by the timer"]):
        case "transferred":
            for each in failed:
                await life.serve("refundConfirm", id=each, reference=f"BANK-{life.index}")
        case "into store credit":
            for each in failed:
                await life.serve("refundRedirect", id=each)
        case "retried" if ticket:
            await let_refunds_fail(life, False)
            await life.serve("ticketRefundRetry", id=ticket)
        case _:
            await let_refunds_fail(life, False)


async def failed_refunds(life: Life) -> list[str]:
    """The ids of its refunds that the provider has refused."""
    payments = (await life.read())["payments"]
    return [refund["id"] for each in payments for refund in each["refunds"] if refund["status"] == "FAILED"]


async def let_refunds_fail(life: Life, fail: bool) -> None:
    """The provider has too little to refund what was paid for the order, or enough again."""
    refunded = SandboxCharge.amount if fail else 0
    async with life.shop.clients.shop.database.writes.begin() as session:
        await session.execute(
            update(SandboxCharge)
            .where(SandboxCharge.order_number == life.number)
            .values(refunded_amount=refunded)
        )
