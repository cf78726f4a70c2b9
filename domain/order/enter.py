"""All that new orders consist of, written at once: one statement on PostgreSQL, two on SQLite."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    String,
    and_,
    func,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql import Executable

from domain.bulk import Bulk, columns_of, table_of
from domain.cart import emptying
from domain.ledger import sides
from domain.order.allocate import Part
from domain.order.quote import Quote, QuotedDelivery, QuotedLine
from domain.order.wish import WantedPayment
from domain.outbox import told
from models import (
    Delivery,
    DeliveryLine,
    Event,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    PaymentStatus,
    Posting,
    PostingKind,
)
from models.base import UtcDateTime

Row = dict[str, Any]

ORDER_COLUMNS = tuple(columns_of(Order))


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that is going to be, and what it consists of."""

    order: Order
    quote: Quote
    parts: Sequence[Part]
    payments: Sequence[WantedPayment]
    events: list[Row] = field(default_factory=list)

    def tell(self, name: str, *, now: datetime, by: int | None = None) -> None:
        """Something happened to it, at the version it has."""
        self.events.append(told(name, self.order, now=now, by=by) | {"number": self.order.number})


async def enter(session: AsyncSession, drafts: Sequence[Draft], *, now: datetime) -> None:
    """Write orders with everything they consist of; their carts are empty afterwards."""
    postings = [posting_of(draft.order, now) for draft in drafts if draft.order.total]
    carts = [draft.quote.basket.cart for draft in drafts if draft.quote.basket.cart]
    numbered = await ENTER.run(
        session,
        orders=[{name: getattr(draft.order, name) for name in ORDER_COLUMNS} for draft in drafts],
        lines=flat(lines_of(draft) for draft in drafts),
        deliveries=flat(deliveries_of(draft) for draft in drafts),
        payments=flat(payments_of(draft) for draft in drafts),
        parts=flat(parts_of(draft) for draft in drafts),
        postings=postings,
        entries=flat(entries_of(draft.order) for draft in drafts if draft.order.total),
        events=flat(draft.events + cart_events(draft, now) for draft in drafts),
        carts=[{"id": cart.id, "now": now} for cart in carts],
    )
    ids = dict(numbered)
    for draft in drafts:
        draft.order.id = ids[draft.order.number]
        make_transient_to_detached(draft.order)
        session.add(draft.order)
    for cart in carts:
        session.expire(cart)


def new_order(**given: Any) -> Order:
    """An order with a value for each of its columns."""
    return Order(**(dict.fromkeys(ORDER_COLUMNS) | given))


def lines_of(draft: Draft) -> list[Row]:
    return [
        {
            "number": draft.order.number,
            "position": position,
            "product_id": line.good.product.id,
            "variant_id": line.good.variant.id,
            "sku": line.good.variant.sku,
            "title": line.good.product.title,
            "options": line.good.variant.options,
            "picture_url": line.good.picture_url,
            "weight_grams": line.good.variant.weight_grams,
            "currency": draft.order.currency,
            "unit_amount": line.unit.minor,
            "quantity": line.quantity,
            "discount_amount": line.discount.minor,
            "cancelled": 0,
            "cancelled_amount": 0,
            "discounts": discounts_of(line),
        }
        for position, line in enumerate(draft.quote.lines, start=1)
    ]


def deliveries_of(draft: Draft) -> list[Row]:
    return [
        {
            "number": draft.order.number,
            "position": position,
            "method": delivery.method,
            "currency": draft.order.currency,
            "fee_amount": delivery.fee.minor,
            "discount_amount": delivery.discount.minor,
            "discounts": discounts_of(delivery),
        }
        | asdict(delivery.postal)
        for position, delivery in enumerate(draft.quote.deliveries, start=1)
    ]


def discounts_of(priced: QuotedLine | QuotedDelivery) -> list[dict[str, int]]:
    return [{"offer_id": each.offer_id, "amount": each.amount.minor} for each in priced.discounts]


def payments_of(draft: Draft) -> list[Row]:
    return [
        {
            "number": draft.order.number,
            "position": position,
            "method": payment.method,
            "status": PaymentStatus.PENDING,
            "currency": draft.order.currency,
            "amount": payment.amount.minor,
            "captured_amount": 0,
            "refunded_amount": 0,
            "reference": f"{draft.order.number}-{position}",
        }
        for position, payment in enumerate(draft.payments, start=1)
    ]


def parts_of(draft: Draft) -> list[Row]:
    return [
        {
            "number": draft.order.number,
            "delivery": part.delivery + 1,
            "line": part.line + 1,
            "warehouse_id": part.warehouse_id,
            "quantity": part.quantity,
            "packed": 0,
            "reserved": draft.quote.lines[part.line].good.variant.limited,
        }
        for part in draft.parts
    ]


def posting_of(order: Order, now: datetime) -> Row:
    """The customer owes the total from now on; an order that costs nothing has no invoice."""
    kind = PostingKind.INVOICED
    return {"number": order.number, "kind": kind, "key": invoice_key(order), "created_at": now}


def entries_of(order: Order) -> list[Row]:
    return [side | {"key": invoice_key(order)} for side in sides(PostingKind.INVOICED, order.total)]


def invoice_key(order: Order) -> str:
    return f"invoiced:{order.number}"


def cart_events(draft: Draft, now: datetime) -> list[Row]:
    cart = draft.quote.basket.cart
    if cart is None:
        return []
    changed = told("cart.changed", cart, now=now, by=draft.order.account_id)
    return [changed | {"version": cart.version + 1}]


def flat(lists: Iterable[list[Row]]) -> list[Row]:
    return [row for rows in lists for row in rows]


@dataclass(slots=True)
class Sheets:
    """INSERTs of bound rows, each of which finds the rows it belongs to among those inserted before.

    On PostgreSQL they are parts of one statement and see each other's RETURNING, on SQLite they run one after
    the other and see the tables.
    """

    dialect: str
    parts: list[CTE] = field(default_factory=list)
    steps: list[Executable] = field(default_factory=list)

    def insert(
        self,
        model: type[Any],
        rows: FromClause,
        source: FromClause,
        *,
        order_by: Sequence[ColumnElement[Any]],
        found_by: Sequence[str] = (),
        **found: ColumnElement[Any],
    ) -> FromClause:
        """Insert `rows`, completed by columns `found` in `source`; later ones find them by `found_by`."""
        table = model.__table__
        values = {name: rows.c[name] for name in columns_of(model) if name not in found} | found
        made = insert(table).from_select(
            list(values), select(*values.values()).select_from(source).order_by(*order_by)
        )
        keys = [table.c[name] for name in found_by]
        if self.dialect == "sqlite":
            self.steps.append(made)
            return table  # type: ignore[no-any-return]
        returned = made.returning(*keys, table.c.id).cte(f"new_{table.name}")
        self.parts.append(returned)
        return returned

    def also(self, name: str, step: Any) -> None:
        if self.dialect == "sqlite":
            self.steps.append(step)
        else:
            self.parts.append(step.cte(name))

    def all(self, made: FromClause, given: FromClause) -> list[Executable]:
        """Everything, ready to run; it returns the numbers and ids of the orders `made` of those given."""
        found = select(made.c.number, made.c.id)
        if self.dialect == "sqlite":
            return [*self.steps, found.where(made.c.number.in_(select(given.c.number)))]
        return [found.add_cte(*self.parts)]


def entering(dialect: str) -> list[Executable]:
    """The orders and what belongs to each: rows name the number of the order that is theirs."""
    sheets = Sheets(dialect)
    given = table_of(dialect, "orders", columns_of(Order))
    orders = sheets.insert(Order, given, given, order_by=[given.c.number], found_by=["number"])

    def belonging(name: str, model: type[Any], **further: Any) -> tuple[FromClause, FromClause]:
        """Rows, and the same beside their orders."""
        columns = columns_of(model, without=["order_id"]) | {"number": String()} | further
        rows = table_of(dialect, name, columns)
        return rows, rows.join(orders, orders.c.number == rows.c.number)

    placed: dict[str, FromClause] = {}
    for name, model in (("lines", OrderLine), ("deliveries", Delivery), ("payments", Payment)):
        rows, source = belonging(name, model)
        in_order, keys = [rows.c.number, rows.c.position], ["order_id", "position"]
        placed[name] = sheets.insert(
            model, rows, source, order_by=in_order, found_by=keys, order_id=orders.c.id
        )
    enter_parts(
        sheets,
        belonging("parts", DeliveryLine, delivery=Integer(), line=Integer()),
        orders,
        placed["lines"],
        placed["deliveries"],
    )
    rows, source = belonging("postings", Posting)
    in_order, keys = [rows.c.number], ["order_id", "key"]
    postings = sheets.insert(Posting, rows, source, order_by=in_order, found_by=keys, order_id=orders.c.id)
    enter_entries(sheets, postings)
    enter_events(sheets, orders)
    carts = table_of(dialect, "carts", {"id": BigInteger(), "now": UtcDateTime()})
    for name, step in zip(("taken_lines", "emptied_carts"), emptying(carts), strict=True):
        sheets.also(name, step)
    return sheets.all(orders, given)


def enter_events(sheets: Sheets, orders: FromClause) -> None:
    """Of orders, whose ids are found by number, and of carts, whose ids are known."""
    rows = table_of(sheets.dialect, "events", {"number": String()} | columns_of(Event))
    sheets.insert(
        Event,
        rows,
        rows.outerjoin(orders, orders.c.number == rows.c.number),
        order_by=[rows.c.number, rows.c.version],
        subject_id=func.coalesce(rows.c.subject_id, orders.c.id),
    )


def enter_parts(
    sheets: Sheets,
    given: tuple[FromClause, FromClause],
    orders: FromClause,
    lines: FromClause,
    deliveries: FromClause,
) -> None:
    """What of which line goes where."""
    rows, source = given
    line = and_(lines.c.order_id == orders.c.id, lines.c.position == rows.c.line)
    delivery = and_(deliveries.c.order_id == orders.c.id, deliveries.c.position == rows.c.delivery)
    sheets.insert(
        DeliveryLine,
        rows,
        source.join(lines, line).join(deliveries, delivery),
        order_by=[rows.c.number, rows.c.delivery, rows.c.line],
        delivery_id=deliveries.c.id,
        order_line_id=lines.c.id,
    )


def enter_entries(sheets: Sheets, postings: FromClause) -> None:
    rows = table_of(
        sheets.dialect,
        "entries",
        {"key": String()} | columns_of(LedgerEntry, without=["posting_id", "order_id"]),
    )
    sheets.insert(
        LedgerEntry,
        rows,
        rows.join(postings, postings.c.key == rows.c.key),
        order_by=[rows.c.key, rows.c.amount.desc()],
        posting_id=postings.c.id,
        order_id=postings.c.order_id,
    )


ENTER = Bulk("entering", entering)
