"""Dividing an order among its deliveries: which units go where, and what each delivery costs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import PostalAddress, check_window, normalize_address
from domain.address import postal_address_of as kept
from domain.cart.sellable import label_of
from domain.errors import DomainError, Invalid, NotFound, OutOfStock
from domain.order.allocation import DeliveryPlace
from domain.order.basket import OrderItem
from domain.order.request import OrderRequest, RequestedDelivery, RequestedLine
from domain.promotion.engine import Discount, PricedDelivery
from domain.shipping import ShippingOption, Tariff
from models import Address, DeliveryWindow, Money, ShippingMethod, Warehouse
from models.sql.dialects import dialect_of
from models.sql.parameters import encode_values, is_among

NOWHERE = PostalAddress(
    recipient="",
    phone="",
    country_code="",
    province="",
    city="",
    district="",
    line1="",
    line2="",
    postal_code="",
)
"""The address of what goes to none."""


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """What deliveries are quoted from, read once for all requests of a batch."""

    addresses: Mapping[int, Address]
    """The entries of address books that are named, by id."""
    pickup_places: Mapping[int, Warehouse]
    """The places that are named and where orders can be collected, by id."""
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class OrderQuoteDelivery:
    """What one delivery would bring and cost."""

    postal: PostalAddress
    method: ShippingMethod
    priced: PricedDelivery
    quantities: Mapping[int, int]
    """Units by index of the line."""
    options: Sequence[ShippingOption]
    """Every method by which it could be sent, with its fee."""
    pickup_at: Warehouse | None = None
    """Where it is collected."""
    window: DeliveryWindow | None = None
    """When it is to come."""

    @property
    def place(self) -> DeliveryPlace:
        return replace(DeliveryPlace.of(self.postal), pickup_at=self.pickup_at)

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


def quote_deliveries(
    request: OrderRequest,
    items: Sequence[OrderItem],
    facts: DeliveryFacts,
    problems: list[DomainError],
    *,
    now: datetime,
) -> Iterator[OrderQuoteDelivery]:
    """The deliveries of a request before any discount; one that cannot be made is a problem.

    What needs no shipping goes nowhere; a delivery of nothing else is left out.
    """
    collected = Counter[tuple[int, int]]()
    quantities_by_delivery = units_by_delivery(request, items, problems)
    for index, (delivery, quantities) in enumerate(
        zip(request.deliveries, quantities_by_delivery, strict=True)
    ):
        if not quantities:
            continue
        with collect_refusal(problems):
            if delivery.method is ShippingMethod.PICKUP:
                place = pickup_place_of(delivery, index, facts.pickup_places)
                problems += collecting_problems(items, quantities, place, collected, index)
                yield quote_unsent(items, quantities, delivery.method, address_of(place), pickup_at=place)
                continue
            check_method(delivery, index)
            with collect_refusal(problems):
                if delivery.window:
                    check_window(delivery.window, now=now, field=("deliveries", index, "window"))
            postal = postal_address_of(request, delivery, index, facts.addresses)
            weight, value = weight_and_value(items, quantities)
            with refusal_about(("deliveries", index, "method")):
                fee = facts.tariff.fee(delivery.method, postal, weight, value)
            options = facts.tariff.options(postal, weight, value)
            priced = PricedDelivery(fee, ())
            yield OrderQuoteDelivery(
                postal, delivery.method, priced, quantities, options, window=delivery.window
            )


def quote_unsent(
    items: Sequence[OrderItem],
    quantities: Mapping[int, int],
    method: ShippingMethod,
    postal: PostalAddress,
    *,
    pickup_at: Warehouse | None = None,
) -> OrderQuoteDelivery:
    """A delivery that travels nowhere, and costs nothing."""
    free = PricedDelivery(Money.zero(price_of(items[0]).currency), ())
    return OrderQuoteDelivery(postal, method, free, quantities, options=(), pickup_at=pickup_at)


def quote_unshipped(items: Sequence[OrderItem]) -> OrderQuoteDelivery | None:
    """The delivery of what needs no shipping, without an address; None where there is nothing of it."""
    quantities = {
        index: item.quantity for index, item in enumerate(items) if not item.variant.requires_shipping
    }
    return quote_unsent(items, quantities, ShippingMethod.NONE, NOWHERE) if quantities else None


def check_method(delivery: RequestedDelivery, index: int) -> None:
    if not delivery.method.has_rates:
        raise Invalid(
            "What needs no shipping needs no delivery: leave it out.", field=("deliveries", index, "method")
        )
    if delivery.pickup_warehouse_id is not None:
        raise Invalid("Only PICKUP has a place.", field=("deliveries", index, "pickup_place_id"))


def pickup_place_of(delivery: RequestedDelivery, index: int, places: Mapping[int, Warehouse]) -> Warehouse:
    """Where a delivery is collected; NotFound for a place where nothing can be."""
    if delivery.postal is not None or delivery.address_id is not None:
        raise Invalid(
            "What is collected goes to no address: give the place only.",
            field=("deliveries", index, "address"),
        )
    if delivery.window is not None:
        raise Invalid(
            "What is collected has opening hours and no window.", field=("deliveries", index, "window")
        )
    path = ("deliveries", index, "pickup_place_id")
    if delivery.pickup_warehouse_id is None:
        raise Invalid("Say where it is collected.", field=path)
    place = places.get(delivery.pickup_warehouse_id)
    if place is None:
        raise NotFound("pickup place", field=path)
    return place


def collecting_problems(
    items: Sequence[OrderItem],
    quantities: Mapping[int, int],
    place: Warehouse,
    collected: Counter[tuple[int, int]],
    index: int,
) -> Iterator[OutOfStock]:
    """The refusals of what the place has too little of; `collected` counts what deliveries before it take."""
    for line, quantity in quantities.items():
        item = items[line]
        left = item.variant_stock.stock.get(place.id, 0) - collected[line, place.id]
        collected[line, place.id] += quantity
        if item.variant.can_sell_out and left < quantity:
            path = ("deliveries", index, "pickup_place_id")
            name = label_of(item.sellable)
            yield OutOfStock(name, left=max(0, left), variant_id=item.variant_id, field=path)


def address_of(place: Warehouse) -> PostalAddress:
    """The address of a place, as the order keeps it."""
    return replace(
        NOWHERE,
        country_code=place.country_code,
        province=place.province,
        city=place.city,
        district=place.district,
        line1=place.line1,
        latitude=place.latitude,
        longitude=place.longitude,
        coordinate_source=place.coordinate_source,
    )


def units_by_delivery(
    request: OrderRequest, items: Sequence[OrderItem], problems: list[DomainError]
) -> Sequence[Mapping[int, int]]:
    """Units by index of the line for each delivery; together they must be exactly what is to be shipped.

    A delivery may name what needs no shipping, too: it goes nowhere.
    """
    if not request.deliveries:
        return []
    shipped = {index: item.quantity for index, item in enumerate(items) if item.variant.requires_shipping}
    if len(request.deliveries) == 1 and request.deliveries[0].lines is None:
        return [shipped]
    index_by_variant = {item.variant_id: index for index, item in enumerate(items)}
    divided: list[dict[int, int]] = []
    for position, delivery in enumerate(request.deliveries):
        units: dict[int, int] = {}
        divided.append(units)
        for line_position, line in enumerate(delivery.lines or ()):
            with collect_refusal(problems):
                field = ("deliveries", position, "lines", line_position)
                index = index_of_line(line, index_by_variant, field=field)
                units[index] = units.get(index, 0) + line.quantity
        if not units:
            problems.append(Invalid("Nothing would go there.", field=("deliveries", position, "lines")))
    divided_units = {index: sum(units.get(index, 0) for units in divided) for index in shipped}
    refusals = (coverage_problem(items[index], units) for index, units in divided_units.items())
    problems += filter(None, refusals)
    return [{index: each for index, each in units.items() if index in shipped} for units in divided]


def index_of_line(
    line: RequestedLine, index_by_variant: Mapping[int, int], *, field: tuple[str | int, ...]
) -> int:
    if line.variant_id not in index_by_variant:
        raise Invalid("This is not on the order.", field=(*field, "variant_id"))
    if line.quantity < 1:
        raise Invalid("A quantity is at least 1.", field=(*field, "quantity"))
    return index_by_variant[line.variant_id]


def coverage_problem(item: OrderItem, divided: int) -> Invalid | None:
    """The refusal where the units given to deliveries are not exactly those ordered."""
    if divided == item.quantity:
        return None
    template = (
        "{count} of {name} have no address."
        if divided < item.quantity
        else "{count} of {name} have an address too many."
    )
    return Invalid(
        template, count=abs(item.quantity - divided), name=label_of(item.sellable), field=("deliveries",)
    )


def postal_address_of(
    request: OrderRequest, delivery: RequestedDelivery, index: int, addresses: Mapping[int, Address]
) -> PostalAddress:
    """Where a delivery goes: an entry of the buyer's address book or an address written out, not both."""
    field = ("deliveries", index, "address")
    if (delivery.postal is None) == (delivery.address_id is None):
        raise Invalid("Give either an entry of your address book or an address.", field=field)
    if delivery.postal is not None:
        return normalize_address(delivery.postal, field=(*field, "postal"))
    address = addresses.get(delivery.address_id or 0)
    if address is None or address.account_id != request.owner.account_id:
        raise NotFound("address", field=(*field, "id"))
    return kept(address)


def weight_and_value(items: Sequence[OrderItem], quantities: Mapping[int, int]) -> tuple[int, Money]:
    """What a delivery weighs in grams, and what is in it costs before discounts."""
    weight = sum(items[index].variant.weight_grams * units for index, units in quantities.items())
    value = sum(
        (price_of(items[index]) * units for index, units in quantities.items()),
        start=Money.zero(price_of(items[0]).currency),
    )
    return weight, value


def price_of(item: OrderItem) -> Money:
    """The unit price of an item that is known to be for sale."""
    if item.unit_price is None:
        raise ValueError(f"{item.name} has no price")
    return item.unit_price


async def read_address_book(session: AsyncSession, requests: Sequence[OrderRequest]) -> Mapping[int, Address]:
    """The address book entries that these requests name, by id, as far as their buyers own them."""
    ids = {
        delivery.address_id
        for request in requests
        for delivery in request.deliveries
        if delivery.address_id is not None
    }
    owners = {request.owner.account_id for request in requests if request.owner.account_id is not None}
    if not ids or not owners:
        return {}
    dialect = dialect_of(session)
    rows = await session.scalars(
        select_addresses(dialect),
        {"ids": encode_values(ids, dialect), "owners": encode_values(owners, dialect)},
    )
    return {address.id: address for address in rows}


async def read_pickup_places(
    session: AsyncSession, requests: Sequence[OrderRequest]
) -> Mapping[int, Warehouse]:
    """The places that these requests name, by id, as far as orders can be collected there."""
    ids = {
        delivery.pickup_warehouse_id
        for request in requests
        for delivery in request.deliveries
        if delivery.pickup_warehouse_id is not None
    }
    if not ids:
        return {}
    rows = await session.scalars(
        select(Warehouse).where(Warehouse.id.in_(ids), Warehouse.active, Warehouse.allows_pickup)
    )
    return {place.id: place for place in rows}


@cache
def select_addresses(dialect: str) -> Select[Address]:
    return (
        select(Address)
        .where(is_among(Address.id, "ids", dialect), is_among(Address.account_id, "owners", dialect))
        .execution_options(populate_existing=True)
    )


@contextmanager
def collect_refusal(problems: list[DomainError]) -> Iterator[None]:
    """Add a refusal raised in the block to the problems instead."""
    try:
        yield
    except DomainError as refusal:
        problems.append(refusal)


@contextmanager
def refusal_about(field: tuple[str | int, ...]) -> Iterator[None]:
    """Give a refusal raised in the block this path."""
    try:
        yield
    except DomainError as refusal:
        refusal.field = field
        raise
