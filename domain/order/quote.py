"""What an order would cost, to the cent, and what stands against it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import Postal, checked
from domain.address import postal_of as kept
from domain.bulk import dialect_of, ids_of, packed_ids
from domain.errors import DomainError, ErrorCode, Invalid, LimitReached, NotForSale, NotFound, OutOfStock
from domain.offer import CouponRefused, Judged, Offers, Pricing, category_ids, offers_for, price
from domain.order.allocate import Goal, Part, Shelves, allocate
from domain.order.goods import Basket, Good, look
from domain.order.wish import WantedDelivery, WantedLine, Wish
from domain.promotion import Basket as Priceable
from domain.promotion import BasketLine, Discount, PricedDelivery, PricedLine
from domain.shipping import ShippingOption, Tariff, load_tariff
from domain.stock import main_warehouse
from models import Address, CurrencyCode, Money, ShippingMethod, Variant, Warehouse

DELIVERIES_LIMIT = 20


class NothingToOrder(DomainError):
    code = ErrorCode.EMPTY

    def __init__(self) -> None:
        super().__init__("There is nothing to order.", field=("lines",))


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """What one line would cost."""

    good: Good
    priced: PricedLine

    @property
    def unit(self) -> Money:
        return self.priced.unit

    @property
    def discount(self) -> Money:
        return self.priced.discount

    @property
    def discounts(self) -> Sequence[Discount]:
        return self.priced.discounts

    @property
    def variant(self) -> Variant:
        return self.good.variant

    @property
    def quantity(self) -> int:
        return self.good.quantity

    @property
    def total(self) -> Money:
        return self.priced.total


@dataclass(frozen=True, slots=True)
class QuotedDelivery:
    """What one delivery would bring and cost."""

    postal: Postal
    method: ShippingMethod
    priced: PricedDelivery
    quantities: Mapping[int, int]
    """Index of a line -> units of it."""
    options: Sequence[ShippingOption]
    """Every way it could travel, with its fee."""

    @property
    def fee(self) -> Money:
        return self.priced.fee

    @property
    def discount(self) -> Money:
        return self.priced.discount

    @property
    def discounts(self) -> Sequence[Discount]:
        return self.priced.discounts

    @property
    def total(self) -> Money:
        return self.priced.total


@dataclass(frozen=True, slots=True)
class Quote:
    """An order as it could be placed now, and every reason why it could not."""

    currency: CurrencyCode
    lines: Sequence[QuotedLine]
    deliveries: Sequence[QuotedDelivery]
    sums: Pricing
    problems: Sequence[DomainError]
    warehouses: Sequence[Warehouse]
    basket: Basket

    @property
    def goods(self) -> Money:
        return self.sums.goods

    @property
    def discount(self) -> Money:
        return self.sums.discount

    @property
    def shipping(self) -> Money:
        return self.sums.shipping

    @property
    def total(self) -> Money:
        return self.sums.total

    @property
    def offers(self) -> Sequence[Judged]:
        return self.sums.judged

    def parts(self) -> list[Part]:
        """From where each unit leaves; only of a quote without problems."""
        goods = [line.good for line in self.lines]
        shelves = Shelves(
            left={
                (index, warehouse_id): units
                for index, good in enumerate(goods)
                for warehouse_id, units in good.shelves.items()
            },
            unlimited=frozenset(index for index, good in enumerate(goods) if not good.variant.limited),
        )
        wanted = [(Goal.of(delivery.postal), delivery.quantities) for delivery in self.deliveries]
        return allocate(wanted, shelves, self.warehouses)


async def quote_order(session: AsyncSession, wish: Wish, *, now: datetime) -> Quote:
    """Work everything out, change nothing."""
    basket = await look(session, wish)
    return quoted(wish, basket, await facts_for(session, [wish], [basket], now=now), now=now)


@dataclass(frozen=True, slots=True)
class Facts:
    """What quotes need beside the goods, read once for all of them."""

    book: Mapping[int, Address]
    main: Warehouse | None
    """The main warehouse, where some goods lie in none."""
    tariff: Tariff
    offers: Offers
    """What they use of them is less for those after, as with the shelves."""


async def facts_for(
    session: AsyncSession,
    wishes: Sequence[Wish],
    baskets: Sequence[Basket],
    *,
    now: datetime,
    hold: bool = False,
) -> Facts:
    nowhere = any(not basket.warehouses for basket in baskets)
    return Facts(
        book=await address_book(session, wishes),
        main=await main_warehouse(session) if nowhere else None,
        tariff=await load_tariff(session, {basket.currency for basket in baskets}),
        offers=await offers_for(
            session,
            currencies={basket.currency for basket in baskets},
            codes={code for basket in baskets for code in basket.codes},
            variant_ids={good.variant.id for basket in baskets for good in basket.goods},
            buyer_ids={wish.owner.account_id for wish in wishes if wish.owner.account_id is not None},
            now=now,
            hold=hold,
        ),
    )


def quoted(wish: Wish, basket: Basket, facts: Facts, *, now: datetime) -> Quote:
    """A quote, worked out of what has been read."""
    if len(wish.deliveries) > DELIVERIES_LIMIT:
        raise LimitReached(f"An order has at most {DELIVERIES_LIMIT} deliveries.", field=("deliveries",))
    problems: list[DomainError] = []
    goods = list(sellable(basket, problems))
    deliveries = list(quoted_deliveries(wish, goods, facts, problems)) if goods else []
    sums = sums_of(wish, goods, basket, deliveries, facts.offers, now=now)
    problems += refused_codes(wish, sums)
    return Quote(
        currency=basket.currency,
        lines=[QuotedLine(good, priced) for good, priced in zip(goods, sums.priced.lines, strict=True)],
        deliveries=[
            replace(delivery, priced=priced)
            for delivery, priced in zip(deliveries, sums.priced.deliveries, strict=True)
        ],
        sums=sums,
        problems=problems,
        warehouses=basket.warehouses or ([facts.main] if facts.main else []),
        basket=basket,
    )


def sellable(basket: Basket, problems: list[DomainError]) -> Iterator[Good]:
    """What can be sold; what cannot is a problem and no part of the sums."""
    if not basket.goods:
        problems.append(NothingToOrder())
    for index, good in enumerate(basket.goods):
        if not good.for_sale:
            where = f"in {basket.currency.value}" if good.sold else "any more"
            problems.append(NotForSale(f"{good.name} is not sold {where}.", field=("lines", index)))
            continue
        if good.variant.limited and good.available < good.quantity:
            field = ("lines", index, "quantity")
            problems.append(
                OutOfStock(good.name, left=good.available, variant_id=good.variant.id, field=field)
            )
        yield good


def quoted_deliveries(
    wish: Wish,
    goods: Sequence[Good],
    facts: Facts,
    problems: list[DomainError],
) -> Iterator[QuotedDelivery]:
    spread = spread_of(wish, goods, problems)
    for index, (wanted, quantities) in enumerate(zip(wish.deliveries, spread, strict=True)):
        with collected(problems):
            postal = postal_of(wish, wanted, index, facts.book)
            weight, value = weight_and_value(goods, quantities)
            with about(("deliveries", index, "method")):
                fee = facts.tariff.fee(wanted.method, postal, weight, value)
            options = facts.tariff.options(postal, weight, value)
            yield QuotedDelivery(postal, wanted.method, PricedDelivery(fee, ()), quantities, options)


def spread_of(wish: Wish, goods: Sequence[Good], problems: list[DomainError]) -> Sequence[Mapping[int, int]]:
    """Units by line for every delivery; together they must be exactly what is ordered."""
    if not wish.deliveries:
        return []
    if len(wish.deliveries) == 1 and wish.deliveries[0].lines is None:
        return [{index: good.quantity for index, good in enumerate(goods)}]
    line_of = {good.variant.id: index for index, good in enumerate(goods)}
    spread: list[dict[int, int]] = []
    for at, delivery in enumerate(wish.deliveries):
        units: dict[int, int] = {}
        spread.append(units)
        for place, line in enumerate(delivery.lines or ()):
            with collected(problems):
                index = line_index(line, line_of, field=("deliveries", at, "lines", place))
                units[index] = units.get(index, 0) + line.quantity
        if not units:
            problems.append(Invalid("Nothing would go there.", field=("deliveries", at, "lines")))
    for index, good in enumerate(goods):
        if refusal := coverage(good, sum(units.get(index, 0) for units in spread)):
            problems.append(refusal)
    return spread


def line_index(line: WantedLine, line_of: Mapping[int, int], *, field: tuple[str | int, ...]) -> int:
    if line.variant_id not in line_of:
        raise Invalid("This is not on the order.", field=(*field, "variant_id"))
    if line.quantity < 1:
        raise Invalid("A quantity is at least 1.", field=(*field, "quantity"))
    return line_of[line.variant_id]


def coverage(good: Good, spread: int) -> Invalid | None:
    """All units of a line go somewhere, and none goes twice."""
    if spread == good.quantity:
        return None
    way = "have no address" if spread < good.quantity else "have an address too many"
    return Invalid(f"{abs(good.quantity - spread)} of {good.name} {way}.", field=("deliveries",))


def postal_of(wish: Wish, wanted: WantedDelivery, index: int, book: Mapping[int, Address]) -> Postal:
    """Where a delivery goes: an entry of the buyer's book or an address written here, one of the two."""
    field = ("deliveries", index, "address")
    if (wanted.postal is None) == (wanted.address_id is None):
        raise Invalid("Give either an entry of your address book or an address.", field=field)
    if wanted.postal is not None:
        return checked(wanted.postal, field=(*field, "postal"))
    address = book.get(wanted.address_id or 0)
    if address is None or address.account_id != wish.owner.account_id:
        raise NotFound("address", field=(*field, "id"))
    return kept(address)


def weight_and_value(goods: Sequence[Good], quantities: Mapping[int, int]) -> tuple[int, Money]:
    """What a delivery weighs in grams, and what its goods cost."""
    weight = sum(goods[index].variant.weight_grams * units for index, units in quantities.items())
    value = sum(
        (unit_of(goods[index]) * units for index, units in quantities.items()),
        start=Money.zero(unit_of(goods[0]).currency),
    )
    return weight, value


def sums_of(
    wish: Wish,
    goods: Sequence[Good],
    basket: Basket,
    deliveries: Sequence[QuotedDelivery],
    offers: Offers,
    *,
    now: datetime,
) -> Pricing:
    """The sums with all offers of the moment."""
    priceable = Priceable(
        lines=tuple(as_priceable(good) for good in goods),
        fees=tuple(delivery.fee for delivery in deliveries),
        currency=basket.currency,
    )
    return price(priceable, offers, codes=basket.codes, account_id=wish.owner.account_id, now=now)


def as_priceable(good: Good) -> BasketLine:
    return BasketLine(
        variant_id=good.variant.id,
        product_id=good.product.id,
        quantity=good.quantity,
        unit=unit_of(good),
        category_ids=category_ids(good.category_path),
        brand=good.product.brand,
    )


def refused_codes(wish: Wish, sums: Pricing) -> Iterator[CouponRefused]:
    """Codes that cannot be used; the path names one only where it was given here."""
    for place, words in sums.refused():
        given = () if wish.coupon_codes is None else (place,)
        yield CouponRefused(words, field=("coupon_codes", *given))


async def address_book(session: AsyncSession, wishes: Sequence[Wish]) -> Mapping[int, Address]:
    """The entries the wishes name, as far as they are their buyers' own."""
    ids = {
        wanted.address_id for wish in wishes for wanted in wish.deliveries if wanted.address_id is not None
    }
    owners = {wish.owner.account_id for wish in wishes if wish.owner.account_id is not None}
    if not ids or not owners:
        return {}
    rows = await session.scalars(
        _entries(dialect_of(session)),
        {"ids": packed_ids(session, ids), "owners": packed_ids(session, owners)},
    )
    return {address.id: address for address in rows}


@cache
def _entries(dialect: str) -> Select[Address]:
    return (
        select(Address)
        .where(Address.id.in_(ids_of(dialect, "ids")), Address.account_id.in_(ids_of(dialect, "owners")))
        .execution_options(populate_existing=True)
    )


def unit_of(good: Good) -> Money:
    """The price of one; asked only of what is for sale."""
    if good.unit is None:
        raise ValueError(f"{good.name} has no price")
    return good.unit


@contextmanager
def collected(problems: list[DomainError]) -> Iterator[None]:
    """A refusal in here is one problem among others."""
    try:
        yield
    except DomainError as refusal:
        problems.append(refusal)


@contextmanager
def about(field: tuple[str | int, ...]) -> Iterator[None]:
    """A refusal in here is about this argument."""
    try:
        yield
    except DomainError as refusal:
        refusal.field = field
        raise
