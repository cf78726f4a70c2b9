"""Order quotes with promotions: for any cart and promotions the amounts add up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.aftersales.refund_amounts import line_refund
from domain.aftersales.rules import LineUnits
from domain.cart import CartOwner
from domain.order.basket import OrderBasket, OrderItem, VariantStock
from domain.order.deliveries import DeliveryFacts, OrderQuoteDelivery
from domain.order.insert import discounts_of
from domain.order.quote import OrderQuote, OrderQuoteLine, QuoteFacts, build_quote
from domain.order.request import OrderRequest, RequestedDelivery, RequestedLine
from domain.promotion import ActivePromotions, PricingResult, price_with_promotions
from domain.promotion.engine import Basket, BasketLine
from domain.promotion.mapping import rule_of
from domain.shipping.tariff import ANYWHERE, Tariff
from models import (
    ClaimTerms,
    CurrencyCode,
    Money,
    OrderLine,
    ProductStatus,
    Promotion,
    PromotionKind,
    PromotionScopeKind,
    ShippingMethod,
    ShippingRate,
    ShippingZone,
    Variant,
)
from models.sellable import SellableVariant
from tests.factories.order import HANGZHOU

NOW = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
CNY = CurrencyCode.CNY
VARIANTS = 4

TARIFF = Tariff(
    zones={ANYWHERE: ShippingZone(id=1, name="Everywhere", position=1, regions=[ANYWHERE], version=1)},
    rates={
        (1, method, CNY): ShippingRate(
            zone_id=1,
            method=method,
            currency=CNY,
            first_grams=1_000,
            first_amount=800,
            further_grams=1_000,
            further_amount=200,
            free_from_amount=9_900 if method is ShippingMethod.STANDARD else None,
        )
        for method in ShippingMethod
    },
)


def promotion(id: int, kind: PromotionKind, **terms: object) -> Promotion:
    given = {
        "id": id,
        "title": f"Promotion {id}",
        "kind": kind,
        "tiers": [],
        "repeating": False,
        "scope": PromotionScopeKind.ALL,
        "scope_ids": [],
        "scope_brands": [],
        "currency": CNY,
        "minimum_amount": 0,
        "minimum_quantity": 0,
        "used": 0,
        "sold": 0,
        "priority": 0,
        "stackable": True,
        "exclusion_groups": [],
        "translations": {},
    }
    return Promotion(**(given | terms))


@st.composite
def stored_promotions(draw: st.DrawFn, id: int) -> Promotion:
    kind = draw(st.sampled_from(list(PromotionKind)))
    amounts = st.integers(1, 50_000)
    terms: dict[str, object] = {}
    match kind:
        case PromotionKind.PERCENT:
            terms = {"percent": draw(st.integers(1, 100))}
        case PromotionKind.FIXED:
            terms = {"amount": draw(amounts)}
        case PromotionKind.FULL_REDUCTION:
            minimum = draw(amounts)
            terms = {
                "tiers": [{"minimum": minimum, "amount": draw(st.integers(1, minimum))}],
                "repeating": draw(st.booleans()),
            }
        case PromotionKind.BUY_N_GET_M:
            terms = {"buy": draw(st.integers(1, 3)), "get": draw(st.integers(1, 2))}
        case PromotionKind.FREE_SHIPPING:
            terms = {"cap_amount": draw(st.none() | amounts)}
        case PromotionKind.FLASH_SALE:
            terms = {
                "amount": draw(amounts),
                "variant_id": draw(st.integers(1, VARIANTS)),
                "share": draw(st.integers(1, 10)),
                "ends_at": NOW + timedelta(hours=1),
            }
    if kind is not PromotionKind.FLASH_SALE and draw(st.booleans()):
        terms |= {"scope": PromotionScopeKind.VARIANTS, "scope_ids": [draw(st.integers(1, VARIANTS))]}
    terms |= {
        "stackable": draw(st.booleans()),
        "exclusion_groups": draw(st.sampled_from([[], ["a"], ["b"]])),
        "minimum_amount": draw(st.sampled_from([0, 0, 10_000])),
    }
    return promotion(id, kind, **terms)


@st.composite
def order_items(draw: st.DrawFn) -> Sequence[OrderItem]:
    ids = draw(st.lists(st.integers(1, VARIANTS), min_size=1, max_size=VARIANTS, unique=True))
    return [OrderItem(draw(stocked_variants(id)), draw(st.integers(1, 7))) for id in ids]


@st.composite
def stocked_variants(draw: st.DrawFn, id: int) -> VariantStock:
    weight = draw(st.integers(0, 3_000))
    sellable = SellableVariant(
        variant=Variant(
            id=id, product_id=id, weight_grams=weight, tracked=False, requires_shipping=True, options=[]
        ),
        title="Tea",
        translations={},
        status=ProductStatus.ACTIVE,
        brand="",
        category_path=None,
        price=Money(draw(st.integers(0, 30_000)), CNY),
        available=None,
        in_stock=0,
    )
    return VariantStock(sellable, picture_url=None, stock={}, warehouses={})


@st.composite
def quotes(draw: st.DrawFn) -> OrderQuote:
    """Quotes as of `checkoutQuote` and `orderPlace`: all to one address, or one unit to another."""
    items = draw(order_items())
    rows = {id: draw(stored_promotions(id)) for id in range(1, draw(st.integers(0, 5)) + 1)}
    promotions = ActivePromotions(rows, {id: rule_of(row) for id, row in rows.items()}, {})
    method = draw(st.sampled_from([each for each in ShippingMethod if each.has_rates]))
    deliveries = [RequestedDelivery(method, postal=HANGZHOU)]
    if sum(item.quantity for item in items) > 1 and draw(st.booleans()):
        first, *others = [RequestedLine(item.variant_id, item.quantity) for item in items]
        rest = [replace(first, quantity=first.quantity - 1)] if first.quantity > 1 else []
        deliveries = [
            RequestedDelivery(method, postal=HANGZHOU, lines=[replace(first, quantity=1)]),
            RequestedDelivery(method, postal=HANGZHOU, lines=rest + others),
        ]
    request = OrderRequest(CartOwner(None, None), lines=[], deliveries=deliveries)
    basket = OrderBasket(CNY, items, (), (), None)
    delivery = DeliveryFacts(addresses={}, pickup_places={}, tariff=TARIFF)
    facts = QuoteFacts(delivery, main_warehouse=None, terms=ClaimTerms({}), promotions=promotions)
    return build_quote(request, basket, facts, now=NOW)


@given(quotes())
def test_lines_and_deliveries_add_up_to_the_total_and_none_is_negative(quote: OrderQuote) -> None:
    lines = sum(line.total.minor for line in quote.lines)
    fees = sum(delivery.total.minor for delivery in quote.deliveries)

    assert lines + fees == quote.total.minor
    assert quote.total.minor == quote.subtotal.minor - quote.discount.minor + quote.shipping.minor
    assert min(line.total.minor for line in quote.lines) >= 0
    assert min(delivery.total.minor for delivery in quote.deliveries) >= 0


@given(quotes())
def test_the_discount_of_every_promotion_is_stored_by_line_and_fee(quote: OrderQuote) -> None:
    amounts: dict[int, int] = {}
    discounted: list[OrderQuoteLine | OrderQuoteDelivery] = [*quote.lines, *quote.deliveries]
    for priced in discounted:
        parts = discounts_of(priced)
        assert sum(part["amount"] for part in parts) == priced.discount.minor
        for part in parts:
            amounts[part["promotion_id"]] = amounts.get(part["promotion_id"], 0) + part["amount"]

    uses = quote.pricing.use_requests(order_id=1, account_id=1)
    assert amounts == {use.promotion.id: use.amount.minor for use in uses}
    assert {each.promotion.id for each in quote.promotions if each.applied} == amounts.keys()


@given(quotes(), st.data())
def test_refunding_everything_in_any_parts_refunds_what_was_paid(
    quote: OrderQuote, data: st.DataObject
) -> None:
    """With the refund amounts of after-sales, for tickets of any lines in any order."""
    lines = [
        OrderLine(
            id=place,
            currency=CNY,
            unit_amount=line.unit_price.minor,
            quantity=line.quantity,
            discount_amount=line.discount.minor,
            cancelled_amount=0,
        )
        for place, line in enumerate(quote.lines)
    ]
    units = [LineUnits(bought=line.quantity) for line in lines]
    refunded = 0
    while open_ := [place for place, each in enumerate(units) if each.refunded < each.bought]:
        place = data.draw(st.sampled_from(open_))
        count = data.draw(st.integers(1, units[place].bought - units[place].refunded))
        amount = line_refund(lines[place], units[place], count)
        assert amount >= 0
        units[place].refunded += count
        units[place].refunded_amount += amount
        refunded += amount

    assert refunded + quote.shipping.minor == quote.total.minor


def test_a_cart_costs_what_the_quote_says_without_fees() -> None:
    rows = {1: promotion(1, PromotionKind.FULL_REDUCTION, tiers=[{"minimum": 30_000, "amount": 4_000}])}
    promotions = ActivePromotions(rows, {1: rule_of(rows[1])}, {})
    basket = Basket((BasketLine(1, 1, 3, Money(9_900, CNY)),), (), CNY)

    pricing: PricingResult = price_with_promotions(basket, promotions, codes=(), account_id=None, now=NOW)

    [evaluated] = pricing.evaluated
    assert (pricing.total.minor, evaluated.missing_amount) == (29_700, Money(300, CNY))
    assert evaluated.message == "3.00 CNY more for Promotion 1."
