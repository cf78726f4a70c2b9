"""Writing new orders with everything that belongs to them: one statement on PostgreSQL, two on SQLite."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import BigInteger, FromClause, Integer, String, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql import Executable
from sqlalchemy.types import TypeEngine

from domain.cart import build_cart_emptying
from domain.cause import Cause
from domain.events import CartChanged, OrderEvent
from domain.ledger import ledger_entries
from domain.order.allocation import AllocatedUnits
from domain.order.deliveries import OrderQuoteDelivery
from domain.order.quote import OrderQuote, OrderQuoteLine
from domain.order.request import PlannedPayment
from domain.outbox import event_row
from domain.place import geocode_time
from domain.promotion import dump_rule
from domain.stock import Allocation, LineAllocation
from models import (
    Base,
    Delivery,
    DeliveryLine,
    Event,
    LedgerEntry,
    Order,
    OrderLine,
    OrderPromotionRules,
    Payment,
    PaymentStatus,
    Posting,
    PostingKind,
)
from models.base import Translations, UtcDateTime
from models.sellable import SellableVariant
from models.sql.bulk import BulkStatement
from models.sql.dialects import column_types
from models.sql.linked_inserts import LinkedInserts
from models.sql.parameters import bound_table
from models.sql.types import RowValues

ORDER_COLUMNS = tuple(column_types(Order))


@dataclass(frozen=True, slots=True)
class InsertPlan:
    """What is written for one new order."""

    order: Order
    quote: OrderQuote
    allocated: Sequence[AllocatedUnits]
    payments: Sequence[PlannedPayment]
    events: list[RowValues] = field(default_factory=list)

    @property
    def counted_units(self) -> list[AllocatedUnits]:
        """The units to reserve or backorder: of all variants whose stock is counted."""
        return [part for part in self.allocated if self.quote.lines[part.line].variant.tracked]

    def record(self, event: OrderEvent, cause: Cause) -> None:
        """Note an event of the order at the version it has; it is written with the order."""
        self.events.append(event_row(event, cause) | {"number": self.order.number})


async def insert_orders(session: AsyncSession, plans: Sequence[InsertPlan], *, cause: Cause) -> None:
    """Write orders with everything that belongs to them and empty their carts; the orders then have ids."""
    postings = [posting_row(plan.order, cause.now) for plan in plans if plan.order.total]
    carts = [plan.quote.basket.cart for plan in plans if plan.quote.basket.cart]
    numbered = await INSERT_ORDERS.execute(
        session,
        orders=[{name: getattr(plan.order, name) for name in ORDER_COLUMNS} for plan in plans],
        lines=flatten(line_rows(plan) for plan in plans),
        deliveries=flatten(delivery_rows(session, plan) for plan in plans),
        payments=flatten(payment_rows(plan) for plan in plans),
        delivery_lines=flatten(delivery_line_rows(plan) for plan in plans),
        postings=postings,
        rules=flatten(rule_rows(plan) for plan in plans),
        entries=flatten(entry_rows(plan.order) for plan in plans if plan.order.total),
        events=flatten(plan.events + cart_event_rows(plan, cause) for plan in plans),
        carts=[{"id": cart.id, "now": cause.now} for cart in carts],
    )
    ids = dict(numbered)
    for plan in plans:
        plan.order.id = ids[plan.order.number]
        make_transient_to_detached(plan.order)
        session.add(plan.order)
    for cart in carts:
        session.expire(cart)


def allocation_of(plan: InsertPlan, part: AllocatedUnits) -> Allocation:
    return Allocation(plan.quote.lines[part.line].variant.id, part.warehouse_id, part.quantity)


async def find_backordered_lines(
    session: AsyncSession, plans: Sequence[InsertPlan]
) -> list[tuple[int, LineAllocation]]:
    """The delivery lines of inserted orders of which units wait for stock, each with the id of its order."""
    waiting = {
        (plan.order.id, part.delivery + 1, part.line + 1, part.warehouse_id): (plan, part)
        for plan in plans
        for part in plan.allocated
        if part.backordered
    }
    if not waiting:
        return []
    key = Delivery.order_id, Delivery.position, OrderLine.position, DeliveryLine.warehouse_id
    rows = await session.execute(
        select(DeliveryLine.id, *key)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(Delivery.order_id.in_({order_id for order_id, *_ in waiting}))
        .order_by(DeliveryLine.id)
    )
    lines = []
    for line_id, order_id, delivery, line, warehouse_id in rows:
        if found := waiting.get((order_id, delivery, line, warehouse_id)):
            plan, part = found
            allocation = LineAllocation(line_id, allocation_of(plan, part), part.backordered)
            lines.append((order_id, allocation))
    return lines


def new_order(**values: object) -> Order:
    """An order with a value for each column: None where `values` has none."""
    return Order(**(dict.fromkeys(ORDER_COLUMNS) | values))


def line_rows(plan: InsertPlan) -> list[RowValues]:
    return [
        {
            "number": plan.order.number,
            "position": position,
            "product_id": line.item.product_id,
            "variant_id": line.variant.id,
            "sku": line.variant.sku,
            "title": line.item.sellable.title,
            "translations": titles_of(line.item.sellable),
            "options": line.variant.options,
            "picture_url": line.item.variant_stock.picture_url,
            "weight_grams": line.variant.weight_grams,
            "requires_shipping": line.variant.requires_shipping,
            "currency": plan.order.currency,
            "unit_amount": line.unit_price.minor,
            "quantity": line.quantity,
            "discount_amount": line.discount.minor,
            "cancelled": 0,
            "cancelled_amount": 0,
            "exclusion": line.exclusion,
            "exclusion_confirmed_at": plan.order.placed_at if line.exclusion else None,
            "discounts": discounts_of(line),
        }
        for position, line in enumerate(plan.quote.lines, start=1)
    ]


def titles_of(sellable: SellableVariant) -> Translations:
    """The title of a product in other languages, without its other texts."""
    return {
        language: {"title": texts["title"]}
        for language, texts in sellable.translations.items()
        if texts.get("title")
    }


def delivery_rows(session: AsyncSession, plan: InsertPlan) -> list[RowValues]:
    return [
        {
            "number": plan.order.number,
            "position": position,
            "method": delivery.method,
            "currency": plan.order.currency,
            "fee_amount": delivery.fee.minor,
            "discount_amount": delivery.discount.minor,
            "discounts": discounts_of(delivery),
            "window_from": delivery.window.begins if delivery.window else None,
            "window_until": delivery.window.ends if delivery.window else None,
            "geocode_at": geocode_time(session, delivery.postal, now=plan.order.placed_at),
            "geocode_tries": 0,
            "sends_back": False,
        }
        | asdict(delivery.postal)
        for position, delivery in enumerate(plan.quote.all_deliveries, start=1)
    ]


def discounts_of(priced: OrderQuoteLine | OrderQuoteDelivery) -> list[dict[str, int]]:
    return [{"promotion_id": each.promotion_id, "amount": each.amount.minor} for each in priced.discounts]


def payment_rows(plan: InsertPlan) -> list[RowValues]:
    return [
        {
            "number": plan.order.number,
            "position": position,
            "method": payment.method,
            "status": PaymentStatus.PENDING,
            "currency": plan.order.currency,
            "amount": payment.amount.minor,
            "captured_amount": 0,
            "refunded_amount": 0,
            "disputed_amount": 0,
            "fee_amount": 0,
            "reference": f"{plan.order.number}-{position}",
        }
        for position, payment in enumerate(plan.payments, start=1)
    ]


def delivery_line_rows(plan: InsertPlan) -> list[RowValues]:
    return [
        {
            "number": plan.order.number,
            "delivery": units.delivery + 1,
            "line": units.line + 1,
            "warehouse_id": units.warehouse_id,
            "quantity": units.quantity,
            "packed": 0,
            "ended": 0,
            "reserved": plan.quote.lines[units.line].variant.tracked,
            "variant_id": None,
            "reduction_amount": 0,
            "replaced_reduction_amount": 0,
        }
        for units in plan.allocated
    ]


def rule_rows(plan: InsertPlan) -> list[RowValues]:
    """The promotions that an edit of the order is priced with; none where none were considered."""
    rules = plan.quote.pricing.rules_in_force
    return [{"number": plan.order.number, "rules": [dump_rule(rule) for rule in rules]}] if rules else []


def posting_row(order: Order, now: datetime) -> RowValues:
    """The invoice: the customer owes the total. An order that costs nothing has none."""
    kind = PostingKind.INVOICED
    return {"number": order.number, "kind": kind, "key": invoice_key(order), "created_at": now}


def entry_rows(order: Order) -> list[RowValues]:
    return [side | {"key": invoice_key(order)} for side in ledger_entries(PostingKind.INVOICED, order.total)]


def invoice_key(order: Order) -> str:
    return f"invoiced:{order.number}"


def cart_event_rows(plan: InsertPlan, cause: Cause) -> list[RowValues]:
    cart = plan.quote.basket.cart
    if cart is None:
        return []
    changed = event_row(CartChanged(cart), Cause(cause.now, plan.order.account_id))
    return [changed | {"version": cart.version + 1}]


def flatten(lists: Iterable[list[RowValues]]) -> list[RowValues]:
    return [row for rows in lists for row in rows]


def build_inserts(dialect: str) -> list[Executable]:
    """The INSERTs of orders and of what belongs to them; bound rows name their order by its number."""
    inserts = LinkedInserts(dialect)
    order_rows = bound_table("orders", column_types(Order), dialect)
    orders = inserts.insert(
        Order, order_rows, order_rows, order_by=[order_rows.c.number], found_by=["number"]
    )
    lines, deliveries, _ = (
        insert_numbered(inserts, name, model, orders)
        for name, model in (("lines", OrderLine), ("deliveries", Delivery), ("payments", Payment))
    )
    insert_delivery_lines(inserts, orders, lines, deliveries)
    insert_promotion_rules(inserts, orders)
    insert_invoices(inserts, orders)
    insert_events(inserts, orders)
    carts = bound_table("carts", {"id": BigInteger(), "now": UtcDateTime()}, dialect)
    for name, statement in zip(("ordered_lines", "emptied_carts"), build_cart_emptying(carts), strict=True):
        inserts.add(name, statement)
    return inserts.returning_ids(orders, order_rows, key="number")


def rows_of_orders(
    inserts: LinkedInserts, name: str, model: type[Base], orders: FromClause, **further: TypeEngine[int]
) -> tuple[FromClause, FromClause]:
    """The rows bound as `name`, and the same joined with their orders."""
    columns = column_types(model, without=["order_id"]) | {"number": String()} | further
    rows = bound_table(name, columns, inserts.dialect)
    return rows, rows.join(orders, orders.c.number == rows.c.number)


def insert_numbered(inserts: LinkedInserts, name: str, model: type[Base], orders: FromClause) -> FromClause:
    """Rows that are found again by their order and their position in it."""
    rows, source = rows_of_orders(inserts, name, model, orders)
    return inserts.insert(
        model,
        rows,
        source,
        order_by=[rows.c.number, rows.c.position],
        found_by=["order_id", "position"],
        order_id=orders.c.id,
    )


def insert_delivery_lines(
    inserts: LinkedInserts, orders: FromClause, lines: FromClause, deliveries: FromClause
) -> None:
    """Which units of which line belong to which delivery, and from which warehouse they come."""
    rows, source = rows_of_orders(
        inserts, "delivery_lines", DeliveryLine, orders, delivery=Integer(), line=Integer()
    )
    line = and_(lines.c.order_id == orders.c.id, lines.c.position == rows.c.line)
    delivery = and_(deliveries.c.order_id == orders.c.id, deliveries.c.position == rows.c.delivery)
    inserts.insert(
        DeliveryLine,
        rows,
        source.join(lines, line).join(deliveries, delivery),
        order_by=[rows.c.number, rows.c.delivery, rows.c.line],
        delivery_id=deliveries.c.id,
        order_line_id=lines.c.id,
    )


def insert_promotion_rules(inserts: LinkedInserts, orders: FromClause) -> None:
    rows, source = rows_of_orders(inserts, "rules", OrderPromotionRules, orders)
    inserts.insert(OrderPromotionRules, rows, source, order_by=[rows.c.number], order_id=orders.c.id)


def insert_invoices(inserts: LinkedInserts, orders: FromClause) -> None:
    """The postings and the two ledger entries of each."""
    rows, source = rows_of_orders(inserts, "postings", Posting, orders)
    postings = inserts.insert(
        Posting,
        rows,
        source,
        order_by=[rows.c.number],
        found_by=["order_id", "key"],
        order_id=orders.c.id,
    )
    columns = {"key": String()} | column_types(LedgerEntry, without=["posting_id", "order_id"])
    entries = bound_table("entries", columns, inserts.dialect)
    inserts.insert(
        LedgerEntry,
        entries,
        entries.join(postings, postings.c.key == entries.c.key),
        order_by=[entries.c.key, entries.c.amount.desc()],
        posting_id=postings.c.id,
        order_id=postings.c.order_id,
    )


def insert_events(inserts: LinkedInserts, orders: FromClause) -> None:
    """Events of orders, whose ids are found by number, and of carts, whose ids are known."""
    rows = bound_table("events", {"number": String()} | column_types(Event), inserts.dialect)
    inserts.insert(
        Event,
        rows,
        rows.outerjoin(orders, orders.c.number == rows.c.number),
        order_by=[rows.c.number, rows.c.version],
        subject_id=func.coalesce(rows.c.subject_id, orders.c.id),
    )


INSERT_ORDERS = BulkStatement("insert_orders", build_inserts)
