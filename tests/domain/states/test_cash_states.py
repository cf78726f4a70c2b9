"""What may happen to a payment that is made in advance in place of cash."""

from collections.abc import Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.payments import change_payments, return_to_cash
from domain.cause import Cause
from domain.order import PlannedPayment, cancel_order, lock_order
from domain.payment import capture_payment, start_payment
from events.shop import Shop
from models import Payment
from tests.domain.states.outcomes import LATER, Command, check_outcomes, documented_outcomes
from tests.factories.order import CASH, NOW, PAY_WITHIN, SANDBOX, TERMS, create_order, pack, payments_of
from tests.factories.payment import fail_newest_attempt, start_after_closing

TITLE = "Payments in advance in place of cash"


async def payment_in_state(session: AsyncSession, state: str) -> Payment:
    order = await create_order(session, payments={CASH: None})
    parts = [PlannedPayment(SANDBOX, order.total)]
    await change_payments(session, order.id, parts, TERMS, cause=Cause(NOW, order.account_id))
    _, payment = await payments_of(session, order)
    if state in {"STARTED", "FAILED"}:
        await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))
    match state:
        case "FAILED":
            await fail_newest_attempt(session, payment, reason="No money.", cause=Cause(NOW))
        case "CAPTURED":
            await capture_payment(session, payment.id, cause=Cause(NOW))
        case "CLOSED":
            await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))
            await return_to_cash(session, order.id, cause=Cause(LATER))
    return payment


async def pay_in_cash_again(session: AsyncSession, payment: Payment) -> None:
    order = await lock_order(session, payment.order_id)
    parts = [PlannedPayment(CASH, order.total)]
    await change_payments(session, order.id, parts, TERMS, cause=Cause(NOW, order.account_id))


async def pack_all(session: AsyncSession, payment: Payment) -> None:
    await pack(session, await lock_order(session, payment.order_id))


COMMANDS: Mapping[str, Command] = {
    "the customer starts it": lambda session, it: start_after_closing(
        session, it.id, query_at=LATER, cause=Cause(NOW)
    ),
    "the provider captures it": lambda session, it: capture_payment(session, it.id, cause=Cause(NOW)),
    "its deadline passes": lambda session, it: return_to_cash(session, it.order_id, cause=Cause(LATER)),
    "all is to be paid in cash again": pay_in_cash_again,
    "everything is packed": pack_all,
    "the customer cancels the order": lambda session, it: cancel_order(
        session, it.order_id, reason="No.", cause=Cause(NOW)
    ),
}


@pytest.mark.parametrize("state", documented_outcomes(TITLE))
async def test_what_may_happen_to_a_payment_in_place_of_cash(shop: Shop, state: str) -> None:
    await check_outcomes(shop, TITLE, state, payment_in_state, COMMANDS)
