import asyncio
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    exists,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, ManyByKey, loader
from loaders.page import Key, Sort
from models import (
    Account,
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    OrderHeadline,
    OrderLine,
    OrderNote,
    OrderPaymentStatus,
    OrderStatus,
    Product,
    ProductWords,
    Variant,
)
from models.order import HEADLINE, PHONE_TAIL

NUMBER_PREFIX = "O"
DATED = re.compile(NUMBER_PREFIX + "([0-9]{2})([0-9]{2})?([0-9]{2})?")
"""How an order's number begins: year, month and day on which it was placed."""

DAY = timedelta(days=1)
PHONE_TAIL_DIGITS = 4
"""The fewest digits of a phone number that somebody can be found by."""

PRODUCTS_LIMIT = 50
ACCOUNTS_LIMIT = 50
"""Products or customers whose orders are looked for at once, when words fit more of them."""


class OrderSort(StrEnum):
    """In which order a list of orders comes."""

    NEWEST = "NEWEST"
    """The newest first."""
    OLDEST = "OLDEST"
    """The oldest first."""
    DEAREST = "DEAREST"
    """The highest total first, in minor units whatever the currency."""


@dataclass(frozen=True, slots=True)
class OrdersWanted:
    """Which orders; everything given must hold. Empty collections find nothing."""

    account_ids: Collection[int] | None = None
    status: Collection[OrderStatus] | None = None
    payment_status: Collection[OrderPaymentStatus] | None = None
    fulfilment_status: Collection[FulfilmentStatus] | None = None
    headline: Collection[OrderHeadline] | None = None
    number: str | None = None
    """How their number begins."""
    phone: str | None = None
    """The last digits of a number a courier calls, four or more."""
    product_ids: Collection[int] | None = None
    variant_id: int | None = None
    title: Sequence[str] = ()
    """Words that all stand in the title of one line, or are its SKU: for the orders of one account."""
    placed_from: datetime | None = None
    placed_before: datetime | None = None


def orders_wanted(wanted: OrdersWanted, sort: OrderSort) -> tuple[Select[Any], Sort]:
    """The statement, and an order of its rows in which one of the indexes holds them already."""
    wanted = in_their_days(wanted)
    descending = sort is not OrderSort.OLDEST
    first: Any = Order.id
    statement = select(Order).where(*conditions(wanted))
    for found in found_by(wanted, descending):
        statement = statement.join(found, found.c.order_id == Order.id)
        first = found.c.order_id
    if sort is OrderSort.DEAREST:
        return statement, sorted_by("dearest", descending, Order.total_amount, Order.id)
    if first is Order.id and (wanted.placed_from or wanted.placed_before):
        return statement, sorted_by(f"{sort.lower()} of a time", descending, Order.placed_at, Order.id)
    return statement, sorted_by(sort.lower(), descending, first)


def in_their_days(wanted: OrdersWanted) -> OrdersWanted:
    """The same, looked for only at the time that a beginning of a number tells.

    All of a day begin alike and stand together: who went through all orders to find them would go far.
    """
    told = DATED.match(wanted.number or "")
    if not told:
        return wanted
    year, month, day = (int(part or 0) for part in told.groups())
    try:
        first = datetime(2000 + year, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return wanted
    days = 1 if day else 31 if month else 366
    begins, ends = first - DAY, first + (days + 1) * DAY
    return replace(
        wanted,
        placed_from=max(wanted.placed_from or begins, begins),
        placed_before=min(wanted.placed_before or ends, ends),
    )


def sorted_by(name: str, descending: bool, *columns: Any) -> Sort:
    return Sort(name, tuple(Key(column, descending) for column in columns))


def conditions(wanted: OrdersWanted) -> Iterator[ColumnElement[bool]]:
    """What stands in the order itself."""
    among: list[tuple[Any, Collection[Any] | None]] = [
        (Order.account_id, wanted.account_ids),
        (Order.status, wanted.status),
        (Order.payment_status, wanted.payment_status),
        (Order.fulfilment_status, wanted.fulfilment_status),
        (literal_column(HEADLINE, String), wanted.headline),
    ]
    for column, allowed in among:
        if allowed is not None:
            values = list(allowed)
            yield column == values[0] if len(values) == 1 else column.in_(values)
    if wanted.number is not None:
        yield Order.number.startswith(wanted.number, autoescape=True)
    if wanted.placed_from is not None:
        yield Order.placed_at >= wanted.placed_from
    if wanted.placed_before is not None:
        yield Order.placed_at < wanted.placed_before
    if wanted.title:
        titles = and_(*(OrderLine.title.icontains(word, autoescape=True) for word in wanted.title))
        called = or_(titles, OrderLine.sku == " ".join(wanted.title))
        yield exists().where(OrderLine.order_id == Order.id, called)


def found_by(wanted: OrdersWanted, descending: bool) -> Iterator[Subquery]:
    """Ids of orders by what they consist of: each read from one index, in the order of the ids."""
    if wanted.phone is not None:
        tail = literal_column(PHONE_TAIL, String) == wanted.phone[-PHONE_TAIL_DIGITS:]
        yield order_ids(Delivery.order_id, descending, tail, Delivery.phone.endswith(wanted.phone))
    if wanted.variant_id is not None:
        yield order_ids(OrderLine.order_id, descending, OrderLine.variant_id == wanted.variant_id)
    if wanted.product_ids is not None:
        ids = list(wanted.product_ids)
        one = OrderLine.product_id == ids[0] if len(ids) == 1 else OrderLine.product_id.in_(ids)
        yield order_ids(OrderLine.order_id, descending, one)


def order_ids(column: Any, descending: bool, *where: ColumnElement[bool]) -> Subquery:
    ordering = column.desc() if descending else column
    return select(column.label("order_id")).where(*where).distinct().order_by(ordering).subquery()


async def products_called(session: AsyncSession, text: str) -> Sequence[int]:
    """Products with this SKU or all of these words, in any language; not more than a few."""
    by_sku = select(Variant.product_id).where(Variant.sku == text)
    words = text.split()
    by_title = select(Product.id).where(*(Product.title.icontains(word, autoescape=True) for word in words))
    by_words = select(ProductWords.product_id).where(
        *(ProductWords.words.icontains(word, autoescape=True) for word in words)
    )
    found = union(by_sku, by_title, by_words).limit(PRODUCTS_LIMIT)
    return (await session.scalars(found)).all()


async def accounts_called(
    session: AsyncSession, *, email: str | None, phone: str | None, name: str | None
) -> Sequence[int]:
    """Accounts with this e-mail address, this phone number or exactly this name."""
    given = ((Account.email, email), (Account.phone, phone), (Account.name, name))
    known = [column == value for column, value in given if value is not None]
    return (await session.scalars(select(Account.id).where(or_(*known)).limit(ACCOUNTS_LIMIT))).all()


class OrderById(ByKey[int, Order]):
    key = Order.id


class OrderByNumber(ByKey[str, Order]):
    key = Order.number


class LinesByOrder(ManyByKey[int, OrderLine]):
    key = OrderLine.order_id
    order_by = OrderLine.position
    primes = "order_line"


class LineById(ByKey[int, OrderLine]):
    """Asked by parcels and deliveries, mostly for lines that the order itself is just being asked for."""

    key = OrderLine.id

    async def answer(self, keys: list[int]) -> list[OrderLine | None]:
        coming = self.loaders.__dict__.get("order_lines")
        orders = await asyncio.gather(*coming._cache.values()) if coming else []
        known: dict[int, OrderLine | None] = {line.id: line for lines in orders for line in lines}
        missing = [key for key in keys if key not in known]
        known |= zip(missing, await super().answer(missing), strict=True) if missing else ()
        return [known[key] for key in keys]


class DeliveriesByOrder(ManyByKey[int, Delivery]):
    key = Delivery.order_id
    order_by = (Delivery.position, DeliveryLine.id)
    primes = "delivery"
    brings = {"delivery_lines": (Delivery.id, DeliveryLine.delivery_id)}


class DeliveryById(ByKey[int, Delivery]):
    key = Delivery.id


class LinesByDelivery(ManyByKey[int, DeliveryLine]):
    key = DeliveryLine.delivery_id
    order_by = DeliveryLine.id


class DeliveryLineById(ByKey[int, DeliveryLine]):
    key = DeliveryLine.id


class NotesByOrder(ManyByKey[int, OrderNote]):
    key = OrderNote.order_id
    order_by = OrderNote.id


class OrderLoaders:
    order = loader(OrderById)
    order_by_number = loader(OrderByNumber)
    order_lines = loader(LinesByOrder)
    order_line = loader(LineById)
    order_deliveries = loader(DeliveriesByOrder)
    delivery = loader(DeliveryById)
    delivery_lines = loader(LinesByDelivery)
    delivery_line = loader(DeliveryLineById)
    order_notes = loader(NotesByOrder)
