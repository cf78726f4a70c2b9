"""Documents that edit orders in one step, and orders to begin with."""

from typing import Any

from sqlalchemy import select, update

from domain.cause import Cause
from domain.payment import capture_payment, start_payment
from events.shop import Shop
from models import Order, OrderLine, OrderStatus, Price, Variant
from tests.api.order.editing_documents import TIMELINE
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT
from tests.factories.order import Lines, create_order, payments_of
from tests.given import cny, id_of

EDITED = f"""id status paymentStatus version total {{ amount }} subtotal {{ amount }} discount {{ amount }}
  shipping {{ amount }} cancelled {{ amount }}
  lines {{ id quantity cancelled unitPrice {{ amount }} total {{ amount }} variant {{ id }} }}
  promotions {{ code amount {{ amount }} }}
  deliveries {{ id fee {{ amount }} address {{ city }} }}
  payments {{ id method status amount: total {{ amount }} refunds {{ total {{ amount }} status }} }}
  {TIMELINE}"""
QUOTE = """query($id: ID!, $changes: OrderChangesInput!) { orderEditQuote(id: $id, changes: $changes) {
  totalBefore { amount } total { amount } difference { amount } paymentNeeded
  lines { orderLine { id } variant { id } quantityBefore quantity unitPrice { amount }
    before { amount } after { amount } }
  deliveries { delivery { id } before { amount } after { amount } } problems { code field message } } }"""
EDIT = f"""mutation($input: OrderEditInput!) {{ orderEdit(input: $input) {{ order {{ {EDITED} }}
  userErrors {{ code field message }} }} }}"""
CHANGE_PAYMENTS = f"""mutation($input: OrderPaymentsChangeInput!) {{ orderPaymentsChange(input: $input) {{
  order {{ {EDITED} }} userErrors {{ code field }} }} }}"""
WAITING_EDIT = """query($id: ID!) { order(id: $id) { waitingEdit {
  lines { variant { id } quantityBefore quantity after { amount } } deliveries { delivery { id } }
  difference { amount } payment { status } paymentDueAt } } }"""
EDIT_CANCEL = """mutation($input: OrderEditCancelInput!) { orderEditCancel(input: $input) {
  order { paymentStatus waitingEdit { createdAt } payments { status } } userErrors { code } } }"""
VIEW_EDITED = f"query($id: ID!) {{ order(id: $id) {{ {EDITED} }} }}"


async def owner_of(
    clients: Clients, shop: Shop, lines: Lines, *, status: OrderStatus = OrderStatus.CONFIRMED, **options: Any
) -> tuple[Client, Order]:
    """A customer and an order of theirs with these lines."""
    customer = await clients.customer()
    async with shop.database.writes.begin() as session:
        order = await create_order(
            session, account=customer.account, status=status, lines=lines, now=STARTED_AT, **options
        )
    return customer, order


async def quote(client: Client, order: Order, **changes: Any) -> dict[str, Any]:
    answer = await client.get(QUOTE, id=id_of(order), changes=changes)
    quoted: dict[str, Any] = answer["orderEditQuote"]
    return quoted


async def edit(
    client: Client,
    order: Order,
    *,
    total: str | None = None,
    key: str = "edit-1",
    method: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Edit an order at the quoted total, or at the given one."""
    expected = total or (await quote(client, order, **changes))["total"]["amount"]
    options = {"paymentMethod": method} if method else {}
    return await client.do(
        EDIT, id=id_of(order), changes=changes, expectedTotal=cny(expected), idempotencyKey=key, **options
    )


async def lines_of(shop: Shop, order: Order) -> list[OrderLine]:
    async with shop.database.reads() as session:
        rows = await session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        )
        return list(rows)


async def capture_last(shop: Shop, order: Order) -> None:
    """Pay the last payment of an order in full."""
    async with shop.database.writes.begin() as session:
        *_, payment = await payments_of(session, order)
        await start_payment(session, payment.id, query_at=STARTED_AT, cause=Cause(STARTED_AT))
        await capture_payment(session, payment.id, cause=Cause(STARTED_AT))
    shop.wake_relay()


async def set_price(shop: Shop, variant: Variant, amount: int) -> None:
    async with shop.database.writes.begin() as session:
        await session.execute(update(Price).where(Price.variant_id == variant.id).values(amount=amount))


def of_variant(variant: Variant, quantity: int) -> dict[str, Any]:
    return {"variantId": id_of(variant), "quantity": quantity}
