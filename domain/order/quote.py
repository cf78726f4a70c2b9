"""What an order would cost, to the cent, and every reason why it cannot be placed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import price_lines
from domain.cart.sellable import label_of
from domain.errors import DomainError, ErrorCode, LimitReached, NotForSale, OutOfStock
from domain.order.allocation import AllocatedUnits, AvailableStock, allocate_units
from domain.order.basket import OrderBasket, OrderItem, read_basket
from domain.order.cash_rules import CashRules
from domain.order.deliveries import (
    DeliveryFacts,
    OrderQuoteDelivery,
    quote_deliveries,
    quote_unshipped,
    read_address_book,
    read_pickup_places,
)
from domain.order.request import OrderRequest
from domain.promotion import (
    ActivePromotions,
    CouponRefused,
    EvaluatedPromotion,
    PricingResult,
    find_active_promotions,
)
from domain.promotion.engine import Discount, PricedLine
from domain.shipping import load_tariff
from domain.stock import ensure_main_warehouse
from models import (
    ClaimExclusion,
    ClaimTerms,
    CurrencyCode,
    Money,
    Variant,
    Warehouse,
    select_exclusions,
)

DELIVERIES_LIMIT = 20


class NothingToOrder(DomainError):
    code = ErrorCode.EMPTY

    def __init__(self) -> None:
        super().__init__("There is nothing to order.", field=("lines",))


@dataclass(frozen=True, slots=True)
class OrderQuoteLine:
    """What one line would cost."""

    item: OrderItem
    priced: PricedLine
    exclusion: ClaimExclusion | None = None
    """Why it cannot be returned without a reason, which the buyer confirms; None where it can."""

    @property
    def unit_price(self) -> Money:
        return self.priced.unit_price

    @property
    def discount(self) -> Money:
        return self.priced.discount

    @property
    def discounts(self) -> Sequence[Discount]:
        return self.priced.discounts

    @property
    def variant(self) -> Variant:
        return self.item.variant

    @property
    def quantity(self) -> int:
        return self.item.quantity

    @property
    def total(self) -> Money:
        return self.priced.total

    @property
    def backordered(self) -> int:
        """How many of its units would wait for stock."""
        return self.item.backordered


@dataclass(frozen=True, slots=True)
class OrderQuote:
    """An order as it could be placed now, and every reason why it could not."""

    currency: CurrencyCode
    lines: Sequence[OrderQuoteLine]
    deliveries: Sequence[OrderQuoteDelivery]
    unshipped: OrderQuoteDelivery | None
    """Of what needs no shipping; None where there is nothing of it."""
    pricing: PricingResult
    problems: Sequence[DomainError]
    warehouses: Sequence[Warehouse]
    basket: OrderBasket

    @property
    def subtotal(self) -> Money:
        return self.pricing.subtotal

    @property
    def discount(self) -> Money:
        return self.pricing.discount

    @property
    def shipping(self) -> Money:
        return self.pricing.shipping

    @property
    def total(self) -> Money:
        return self.pricing.total

    @property
    def promotions(self) -> Sequence[EvaluatedPromotion]:
        return self.pricing.evaluated

    def allocate(self) -> list[AllocatedUnits]:
        """From which warehouse each unit leaves; only for a quote without problems."""
        items = [line.item for line in self.lines]
        stock = AvailableStock(
            units={
                (index, warehouse_id): units
                for index, item in enumerate(items)
                for warehouse_id, units in item.variant_stock.stock.items()
            },
            unlimited=frozenset(index for index, item in enumerate(items) if not item.variant.tracked),
            backordered=frozenset(
                index for index, item in enumerate(items) if item.variant.is_backordered_when_out
            ),
        )
        requested = [(delivery.place, delivery.quantities) for delivery in self.all_deliveries]
        return allocate_units(requested, stock, self.warehouses)

    @property
    def all_deliveries(self) -> Sequence[OrderQuoteDelivery]:
        """The deliveries as the order has them: that of what needs no shipping comes last."""
        return [*self.deliveries, self.unshipped] if self.unshipped else self.deliveries

    @property
    def needs_delivery(self) -> bool:
        """Whether anything of it is sent or collected."""
        return any(line.variant.requires_shipping for line in self.lines)

    @property
    def due_in_advance(self) -> Money:
        """What must be paid before anything is delivered: the price of what needs no shipping."""
        unshipped = (line.total for line in self.lines if not line.variant.requires_shipping)
        return sum(unshipped, start=Money.zero(self.currency))


async def quote_order(session: AsyncSession, request: OrderRequest, *, now: datetime) -> OrderQuote:
    """The quote for a request at this moment; nothing is changed or locked."""
    basket = await read_basket(session, request)
    facts = await read_facts(session, [request], [basket], now=now)
    return build_quote(request, basket, facts, now=now)


@dataclass(frozen=True, slots=True)
class QuoteFacts:
    """What quotes need beside the basket, read once for all requests of a batch."""

    delivery: DeliveryFacts
    main_warehouse: Warehouse | None
    """Read only where some variants are in no warehouse."""
    terms: ClaimTerms
    """Of returns without a reason, as far as goods are excluded from them."""
    promotions: ActivePromotions
    """Each order of a batch takes its own uses from them."""
    cash: CashRules = field(default_factory=CashRules)
    """Read only where an order is to be paid in cash."""


async def read_facts(
    session: AsyncSession,
    requests: Sequence[OrderRequest],
    baskets: Sequence[OrderBasket],
    *,
    now: datetime,
    lock_promotions: bool = False,
) -> QuoteFacts:
    needs_main_warehouse = any(not basket.warehouses for basket in baskets)
    return QuoteFacts(
        delivery=DeliveryFacts(
            addresses=await read_address_book(session, requests),
            pickup_places=await read_pickup_places(session, requests),
            tariff=await load_tariff(session, {basket.currency for basket in baskets}),
        ),
        main_warehouse=await ensure_main_warehouse(session) if needs_main_warehouse else None,
        terms=ClaimTerms.of(await session.scalars(select_exclusions())),
        promotions=await find_active_promotions(
            session,
            currencies={basket.currency for basket in baskets},
            codes={code for basket in baskets for code in basket.codes},
            variant_ids={item.variant_id for basket in baskets for item in basket.items},
            buyer_ids={
                request.owner.account_id for request in requests if request.owner.account_id is not None
            },
            now=now,
            lock=lock_promotions,
        ),
    )


def build_quote(
    request: OrderRequest, basket: OrderBasket, facts: QuoteFacts, *, now: datetime
) -> OrderQuote:
    """A quote from what has been read."""
    if len(request.deliveries) > DELIVERIES_LIMIT:
        raise LimitReached(
            "An order has at most {limit} deliveries.", limit=DELIVERIES_LIMIT, field=("deliveries",)
        )
    problems: list[DomainError] = []
    items = list(items_for_sale(basket, problems))
    deliveries = list(quote_deliveries(request, items, facts.delivery, problems, now=now)) if items else []
    pricing = price_lines(
        items,
        facts.promotions,
        currency=basket.currency,
        codes=basket.codes,
        account_id=request.owner.account_id,
        now=now,
        fees=[delivery.fee for delivery in deliveries],
    )
    problems += coupon_problems(request, pricing)
    main_warehouses = [facts.main_warehouse] if facts.main_warehouse else []
    return OrderQuote(
        currency=basket.currency,
        lines=[
            OrderQuoteLine(item, priced, facts.terms.exclusion_of(item.product_id, item.category_path))
            for item, priced in zip(items, pricing.priced.lines, strict=True)
        ],
        deliveries=[
            replace(delivery, priced=priced)
            for delivery, priced in zip(deliveries, pricing.priced.deliveries, strict=True)
        ],
        unshipped=quote_unshipped(items),
        pricing=pricing,
        problems=problems,
        warehouses=basket.warehouses or main_warehouses,
        basket=basket,
    )


def items_for_sale(basket: OrderBasket, problems: list[DomainError]) -> Iterator[OrderItem]:
    """The items that are priced: all that are for sale, also where too few units are available."""
    if not basket.items:
        problems.append(NothingToOrder())
    for index, item in enumerate(basket.items):
        if item.unit_price is None:
            template = (
                "{name} is not sold in {currency}."
                if item.sellable.is_on_sale
                else "{name} is not sold any more."
            )
            refusal = NotForSale(
                template, name=label_of(item.sellable), currency=basket.currency.value, field=("lines", index)
            )
            problems.append(refusal)
            continue
        if item.available is not None and item.available < item.quantity:
            field = ("lines", index, "quantity")
            problems.append(
                OutOfStock(
                    label_of(item.sellable), left=item.available, variant_id=item.variant_id, field=field
                )
            )
        yield item


def coupon_problems(request: OrderRequest, pricing: PricingResult) -> Iterator[CouponRefused]:
    """Refusals of codes; the path has an index only where the request itself gives the codes."""
    for place, message in pricing.refused_codes():
        index = () if request.coupon_codes is None else (place,)
        yield CouponRefused(message, field=("coupon_codes", *index))
