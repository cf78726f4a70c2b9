"""Orders that customers place and pay through the API, and what is posted to the shop's webhook."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from events.shop import Shop
from models import (
    Order,
    Payment,
    PaymentAttempt,
    ProviderCall,
    ProviderCallKind,
    ProviderCallOutcome,
    Refund,
    Role,
)
from resolvers.ids import row_id
from tests.api.order.documents import ADDRESS, CANCEL, PLACE, create_variant
from tests.api.order.edit_documents import CHANGE_PAYMENTS
from tests.clients import Client, Clients
from tests.factories.payment import attempt_of
from tests.gateways.payment.shop.tills import Action, Sent, Till
from tests.given import cny, id_of
from tests.observe import run_until_idle

START = """
mutation ($input: PaymentStartInput!) {
  paymentStart(input: $input) {
    payment { status }
    attempt { number status }
    action {
      __typename
      ... on ScanCode { code }
      ... on Redirect { url }
      ... on AppParameters { text }
      ... on ClientSecret { secret publishableKey }
    }
    userErrors { code message field }
  }
}
"""
REFUND = """
mutation ($input: PaymentRefundInput!) {
  paymentRefund(input: $input) { order { paymentStatus } userErrors { code message } }
}
"""
PRICE = "99.00"


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order of one thing for PRICE, and its only payment."""

    customer: Client
    order_id: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class Counter:
    """The shop, and the provider that it uses."""

    till: Till
    clients: Clients

    @property
    def shop(self) -> Shop:
        return self.clients.shop

    async def buy(self) -> Purchase:
        """A customer orders, to be paid by the method of the till."""
        customer, tea = await self.clients.customer(), await create_variant(self.shop)
        placed = await customer.do(
            PLACE,
            lines=[{"variantId": id_of(tea), "quantity": 1}],
            deliveries=[{"address": {"postal": ADDRESS}}],
            payments=[{"method": self.till.method, "amount": cny(PRICE)}],
            idempotencyKey="once",
        )
        assert placed["userErrors"] == []
        order_id = placed["order"]["id"]
        async with self.shop.database.reads() as session:
            payment = await session.scalar(
                select(Payment).where(Payment.order_id == row_id(order_id, "Order"))
            )
        return Purchase(customer, order_id, id_of(payment))

    async def start(self, purchase: Purchase, channel: str = "") -> dict[str, Any]:
        given: dict[str, Any] = {"channel": channel or self.till.calling.value}
        if channel == "IN_PROVIDER_APP":
            given["payerId"] = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
        return await purchase.customer.do(START, id=purchase.payment_id, **given)

    async def start_and_pay(self, purchase: Purchase, *, notify: bool = False) -> str:
        """The customer pays at the provider; the reference of the attempt comes back."""
        started = await self.start(purchase)
        assert started["userErrors"] == []
        attempt = await self.attempt(purchase)
        assert await self.till.pay(attempt.reference, action_of(started), notify=notify)
        return attempt.reference

    async def cancel(self, purchase: Purchase) -> dict[str, Any]:
        return await purchase.customer.do(CANCEL, id=purchase.order_id, reason="Changed my mind.")

    async def pay_in_cash_instead(self, purchase: Purchase) -> dict[str, Any]:
        cash = {"method": "CASH_ON_DELIVERY", "amount": cny(PRICE)}
        return await purchase.customer.do(CHANGE_PAYMENTS, id=purchase.order_id, payments=[cash])

    async def refund(self, purchase: Purchase, amount: str) -> dict[str, Any]:
        manager = await self.clients.staff(Role.MANAGER)
        done = await manager.do(
            REFUND, orderId=purchase.order_id, amount=cny(amount), reason="Damaged.", idempotencyKey="once"
        )
        await run_until_idle(self.shop)
        return done

    async def post(self, notice: Sent, path: str = "") -> tuple[int, bytes]:
        """Post a notice to the webhook of the till's method; what was answered."""
        answer = await self.clients.http.post(
            f"/webhooks/payments/{path or self.till.method.lower()}",
            content=notice.body,
            headers=notice.headers,
        )
        return answer.status_code, answer.content

    async def order(self, purchase: Purchase) -> Order:
        async with self.shop.database.reads() as session:
            return await session.get_one(Order, row_id(purchase.order_id, "Order"))

    async def payment(self, purchase: Purchase) -> Payment:
        async with self.shop.database.reads() as session:
            return await session.get_one(Payment, row_id(purchase.payment_id, "Payment"))

    async def attempt(self, purchase: Purchase) -> PaymentAttempt:
        return await attempt_of(self.shop, await self.payment(purchase))

    async def refunds(self, purchase: Purchase) -> list[Refund]:
        async with self.shop.database.reads() as session:
            order = await self.order(purchase)
            return list(await session.scalars(select(Refund).where(Refund.order_id == order.id)))

    async def notices(self, purchase: Purchase) -> list[tuple[ProviderCallOutcome, str | None]]:
        """Whether each notice about the order was taken, and why not."""
        async with self.shop.database.reads() as session:
            calls = await session.scalars(
                select(ProviderCall)
                .where(
                    ProviderCall.order_id == (await self.order(purchase)).id,
                    ProviderCall.kind == ProviderCallKind.NOTICE,
                )
                .order_by(ProviderCall.id)
            )
            return [(call.outcome, call.reason) for call in calls]


def action_of(started: dict[str, Any]) -> Action:
    """The fields of the action, without its type."""
    return {name: value for name, value in started["action"].items() if name != "__typename"}
