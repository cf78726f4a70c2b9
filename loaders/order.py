import asyncio
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    String,
    Subquery,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from gateways.search import IndexQuery, SearchIndex
from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from loaders.search import text_query
from models import (
    Account,
    Backorder,
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    OrderDisplayStatus,
    OrderEdit,
    OrderEditStatus,
    OrderLine,
    OrderNote,
    OrderPaymentStatus,
    OrderStatus,
    Pickup,
    Product,
    ShippingMethod,
    Variant,
)
from models.order import DISPLAY_STATUS, PHONE_TAIL
from models.sql.types import AnyColumn, AnySelect
from text.query_parser import KnownTerms, build_plan, parse_query

NUMBER_PREFIX = "O"
NUMBER_DATE = re.compile(NUMBER_PREFIX + "([0-9]{2})([0-9]{2})?([0-9]{2})?")
"""How an order's number begins: year, month and day on which it was placed, in UTC."""

DAY = timedelta(days=1)
PHONE_TAIL_DIGITS = 4
"""The fewest last digits by which a phone number can be found."""

PRODUCTS_LIMIT = 50
ACCOUNTS_LIMIT = 50
"""The most products and accounts whose orders are searched for at once."""


class OrderSort(StrEnum):
    """The order of a list of orders."""

    NEWEST = "NEWEST"
    """The newest first."""
    OLDEST = "OLDEST"
    """The oldest first."""
    DEAREST = "DEAREST"
    """The highest total first, in minor units whatever the currency."""


@dataclass(frozen=True, slots=True)
class OrderCriteria:
    """Which orders; all that are given must hold. Empty collections find nothing."""

    account_ids: Collection[int] | None = None
    status: Collection[OrderStatus] | None = None
    payment_status: Collection[OrderPaymentStatus] | None = None
    fulfilment_status: Collection[FulfilmentStatus] | None = None
    display_status: Collection[OrderDisplayStatus] | None = None
    number: str | None = None
    """How the number begins."""
    phone: str | None = None
    """The last digits, four or more, of the phone number of a delivery."""
    product_ids: Collection[int] | None = None
    variant_id: int | None = None
    title: Sequence[str] = ()
    """Words that are all in the title of one line, or are its SKU: for the orders of one account."""
    placed_from: datetime | None = None
    placed_before: datetime | None = None


def select_orders(criteria: OrderCriteria, sort: OrderSort) -> tuple[AnySelect, Sort]:
    """The statement, and a sort order in which an index has its rows already."""
    criteria = narrow_to_days(criteria)
    descending = sort is not OrderSort.OLDEST
    first: AnyColumn = Order.id
    statement = select(Order).where(*order_conditions(criteria))
    for ids in order_id_subqueries(criteria, descending):
        statement = statement.join(ids, ids.c.order_id == Order.id)
        first = ids.c.order_id
    if sort is OrderSort.DEAREST:
        return statement, sort_by("dearest", descending, Order.total_amount, Order.id)
    if first is Order.id and (criteria.placed_from or criteria.placed_before):
        return statement, sort_by(f"{sort.lower()} of a time", descending, Order.placed_at, Order.id)
    return statement, sort_by(sort.lower(), descending, first)


def narrow_to_days(criteria: OrderCriteria) -> OrderCriteria:
    """The same criteria, limited to the days that the beginning of a number names.

    All numbers of a day begin alike: in the order of their ids the database would pass over all other orders.
    """
    date = NUMBER_DATE.match(criteria.number or "")
    if not date:
        return criteria
    year, month, day = (int(part or 0) for part in date.groups())
    try:
        first = datetime(2000 + year, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return criteria
    days = 1 if day else 31 if month else 366
    begins, ends = first - DAY, first + (days + 1) * DAY
    return replace(
        criteria,
        placed_from=max(criteria.placed_from or begins, begins),
        placed_before=min(criteria.placed_before or ends, ends),
    )


def sort_by(name: str, descending: bool, *columns: AnyColumn) -> Sort:
    return Sort(name, tuple(Key(column, descending) for column in columns))


def order_conditions(criteria: OrderCriteria) -> Iterator[ColumnElement[bool]]:
    """The conditions on the order itself."""
    allowed_values: list[tuple[AnyColumn, Collection[object] | None]] = [
        (Order.account_id, criteria.account_ids),
        (Order.status, criteria.status),
        (Order.payment_status, criteria.payment_status),
        (Order.fulfilment_status, criteria.fulfilment_status),
        (literal_column(DISPLAY_STATUS, String), criteria.display_status),
    ]
    for column, allowed in allowed_values:
        if allowed is not None:
            values = list(allowed)
            yield column == values[0] if len(values) == 1 else column.in_(values)
    if criteria.number is not None:
        yield Order.number.startswith(criteria.number, autoescape=True)
    if criteria.placed_from is not None:
        yield Order.placed_at >= criteria.placed_from
    if criteria.placed_before is not None:
        yield Order.placed_at < criteria.placed_before
    if criteria.title:
        in_title = and_(*(OrderLine.title.icontains(word, autoescape=True) for word in criteria.title))
        is_match = or_(in_title, OrderLine.sku == " ".join(criteria.title))
        yield exists().where(OrderLine.order_id == Order.id, is_match)


def order_id_subqueries(criteria: OrderCriteria, descending: bool) -> Iterator[Subquery]:
    """Ids of orders by their deliveries and lines: each read from one index, in the order of the ids."""
    if criteria.phone is not None:
        same_tail = literal_column(PHONE_TAIL, String) == criteria.phone[-PHONE_TAIL_DIGITS:]
        yield select_order_ids(
            Delivery.order_id, descending, same_tail, Delivery.phone.endswith(criteria.phone)
        )
    if criteria.variant_id is not None:
        yield select_order_ids(OrderLine.order_id, descending, OrderLine.variant_id == criteria.variant_id)
    if criteria.product_ids is not None:
        ids = list(criteria.product_ids)
        is_product = OrderLine.product_id == ids[0] if len(ids) == 1 else OrderLine.product_id.in_(ids)
        yield select_order_ids(OrderLine.order_id, descending, is_product)


def select_order_ids(column: AnyColumn, descending: bool, *conditions: ColumnElement[bool]) -> Subquery:
    order_by = column.desc() if descending else column
    return select(column.label("order_id")).where(*conditions).distinct().order_by(order_by).subquery()


async def find_products(index: SearchIndex, session: AsyncSession, query: str) -> Sequence[int]:
    """Ids of at most PRODUCTS_LIMIT products with this SKU or all of these words, in any language."""
    plan = build_plan(query, parse_query(query), KnownTerms(), {})
    hits = await index.rank(IndexQuery(text_query(plan)), limit=PRODUCTS_LIMIT) if plan.clauses else ()
    by_sku = select(Variant.product_id).where(Variant.sku == query)
    words = query.split()
    by_title = select(Product.id).where(*(Product.title.icontains(word, autoescape=True) for word in words))
    found = await session.scalars(union(by_sku, by_title).limit(PRODUCTS_LIMIT))
    return list(dict.fromkeys([*found, *(hit.id for hit in hits)]))[:PRODUCTS_LIMIT]


async def find_accounts(
    session: AsyncSession, *, email: str | None, phone: str | None, name: str | None
) -> Sequence[int]:
    """Ids of at most ACCOUNTS_LIMIT accounts with this e-mail address, phone number or exact name."""
    values = ((Account.email, email), (Account.phone, phone), (Account.name, name))
    conditions = [column == value for column, value in values if value is not None]
    return (await session.scalars(select(Account.id).where(or_(*conditions)).limit(ACCOUNTS_LIMIT))).all()


class OrderById(ByKey[int, Order]):
    key = Order.id


class OrderByNumber(ByKey[str, Order]):
    key = Order.number


class WaitingEditByOrder(ByKey[int, OrderEdit]):
    """The edit of an order that waits for its payment, if there is one."""

    key = OrderEdit.order_id

    def statement(self) -> AnySelect:
        return select(OrderEdit).where(OrderEdit.status == OrderEditStatus.AWAITING_PAYMENT)


class OrderLinesByOrder(ManyByKey[int, OrderLine]):
    key = OrderLine.order_id
    order_by = OrderLine.position
    primes = "order_line"


class OrderLineById(ByKey[int, OrderLine]):
    """Order lines of parcels and deliveries; it waits for those that their orders are just loading."""

    key = OrderLine.id

    async def answer(self, keys: list[int]) -> list[OrderLine | None]:
        order_lines = self.loaders.__dict__.get("order_lines")
        loaded = await asyncio.gather(*order_lines._cache.values()) if order_lines else []
        found: dict[int, OrderLine | None] = {line.id: line for lines in loaded for line in lines}
        missing = [key for key in keys if key not in found]
        found |= zip(missing, await super().answer(missing), strict=True) if missing else ()
        return [found[key] for key in keys]


class DeliveriesByOrder(ManyByKey[int, Delivery]):
    """The deliveries of an order, without that of what needs no shipping."""

    key = Delivery.order_id
    order_by = (Delivery.position, DeliveryLine.id)
    primes = "delivery"
    brings = {"delivery_lines": (Delivery.id, DeliveryLine.delivery_id, DeliveryLine.quantity > 0)}

    def statement(self) -> AnySelect:
        return select(Delivery).where(Delivery.method != ShippingMethod.NONE)


class DeliveryById(ByKey[int, Delivery]):
    """A delivery; not that of what needs no shipping, which goes nowhere."""

    key = Delivery.id

    def statement(self) -> AnySelect:
        return select(Delivery).where(Delivery.method != ShippingMethod.NONE)


class LinesByDelivery(ManyByKey[int, DeliveryLine]):
    """The lines of a delivery of which something is left to send, or was sent."""

    key = DeliveryLine.delivery_id
    order_by = DeliveryLine.id

    def statement(self) -> AnySelect:
        return select(DeliveryLine).where(DeliveryLine.quantity > 0)


class DeliveryLineById(ByKey[int, DeliveryLine]):
    key = DeliveryLine.id


class NotesByOrder(ManyByKey[int, OrderNote]):
    key = OrderNote.order_id
    order_by = OrderNote.id


class WaitingByDeliveryLine(Grouped[int, int]):
    """The units of each delivery line that wait for stock."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, int]:
        rows = await session.execute(
            select(Backorder.delivery_line_id, func.sum(Backorder.quantity))
            .where(Backorder.delivery_line_id.in_(keys))
            .group_by(Backorder.delivery_line_id)
        )
        return {line_id: int(units) for line_id, units in rows}

    def default(self) -> int:
        return 0


class WaitingByOrderLine(Grouped[int, int]):
    """The units of each order line that wait for stock."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, int]:
        rows = await session.execute(
            select(DeliveryLine.order_line_id, func.sum(Backorder.quantity))
            .join(DeliveryLine, DeliveryLine.id == Backorder.delivery_line_id)
            .where(DeliveryLine.order_line_id.in_(keys))
            .group_by(DeliveryLine.order_line_id)
        )
        return {line_id: int(units) for line_id, units in rows}

    def default(self) -> int:
        return 0


class PickupByDelivery(ByKey[int, Pickup]):
    key = Pickup.delivery_id


class OrderLoaders:
    order = loader(OrderById)
    order_by_number = loader(OrderByNumber)
    order_lines = loader(OrderLinesByOrder)
    order_waiting_edit = loader(WaitingEditByOrder)
    order_line = loader(OrderLineById)
    order_deliveries = loader(DeliveriesByOrder)
    delivery = loader(DeliveryById)
    delivery_lines = loader(LinesByDelivery)
    delivery_line = loader(DeliveryLineById)
    order_line_waiting = loader(WaitingByOrderLine)
    delivery_line_waiting = loader(WaitingByDeliveryLine)
    delivery_pickup = loader(PickupByDelivery)
    order_notes = loader(NotesByOrder)
