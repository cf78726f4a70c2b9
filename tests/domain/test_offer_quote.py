"""Quotes with offers, over many carts and offers: the sums of what an order would be made of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.aftersales.rules import Units
from domain.aftersales.sums import line_refund
from domain.cart import Owner
from domain.offer import Offers, Pricing, price
from domain.offer.terms import offer_of
from domain.order.enter import discounts_of
from domain.order.goods import Basket, Good
from domain.order.quote import Facts, Quote, QuotedDelivery, QuotedLine, quoted
from domain.order.wish import WantedDelivery, WantedLine, Wish
from domain.promotion import Basket as Priceable
from domain.promotion import BasketLine
from domain.shipping.tariff import ANYWHERE, Tariff
from models import (
    CurrencyCode,
    Money,
    Offer,
    OfferKind,
    OrderLine,
    Product,
    ProductStatus,
    ScopeKind,
    ShippingMethod,
    ShippingRate,
    ShippingZone,
    Variant,
)
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


def offer(id: int, kind: OfferKind, **terms: object) -> Offer:
    given = {
        "id": id,
        "title": f"Offer {id}",
        "kind": kind,
        "tiers": [],
        "repeating": False,
        "scope": ScopeKind.ALL,
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
    return Offer(**(given | terms))


@st.composite
def stored_offers(draw: st.DrawFn, id: int) -> Offer:
    kind = draw(st.sampled_from(list(OfferKind)))
    amounts = st.integers(1, 50_000)
    terms: dict[str, object] = {}
    match kind:
        case OfferKind.PERCENT:
            terms = {"percent": draw(st.integers(1, 100))}
        case OfferKind.FIXED:
            terms = {"amount": draw(amounts)}
        case OfferKind.FULL_REDUCTION:
            minimum = draw(amounts)
            terms = {
                "tiers": [{"minimum": minimum, "amount": draw(st.integers(1, minimum))}],
                "repeating": draw(st.booleans()),
            }
        case OfferKind.BUY_N_GET_M:
            terms = {"buy": draw(st.integers(1, 3)), "get": draw(st.integers(1, 2))}
        case OfferKind.FREE_SHIPPING:
            terms = {"cap_amount": draw(st.none() | amounts)}
        case OfferKind.FLASH_SALE:
            terms = {
                "amount": draw(amounts),
                "variant_id": draw(st.integers(1, VARIANTS)),
                "share": draw(st.integers(1, 10)),
                "ends_at": NOW + timedelta(hours=1),
            }
    if kind is not OfferKind.FLASH_SALE and draw(st.booleans()):
        terms |= {"scope": ScopeKind.VARIANTS, "scope_ids": [draw(st.integers(1, VARIANTS))]}
    terms |= {
        "stackable": draw(st.booleans()),
        "exclusion_groups": draw(st.sampled_from([[], ["a"], ["b"]])),
        "minimum_amount": draw(st.sampled_from([0, 0, 10_000])),
    }
    return offer(id, kind, **terms)


@st.composite
def goods(draw: st.DrawFn) -> Sequence[Good]:
    wanted = draw(st.lists(st.integers(1, VARIANTS), min_size=1, max_size=VARIANTS, unique=True))
    return [
        Good(
            variant=Variant(id=id, weight_grams=draw(st.integers(0, 3_000)), tracked=False, options=[]),
            product=Product(id=id, title="Tea", brand="", status=ProductStatus.ACTIVE),
            quantity=draw(st.integers(1, 7)),
            unit=Money(draw(st.integers(0, 30_000)), CNY),
            picture_url=None,
        )
        for id in wanted
    ]


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """As `checkoutQuote` and `orderPlace` work it out: all to one address, or one unit to another."""
    ordered = draw(goods())
    rows = {id: draw(stored_offers(id)) for id in range(1, draw(st.integers(0, 5)) + 1)}
    offers = Offers(rows, {id: offer_of(row) for id, row in rows.items()}, {})
    method = draw(st.sampled_from(list(ShippingMethod)))
    deliveries = [WantedDelivery(method, postal=HANGZHOU)]
    if sum(good.quantity for good in ordered) > 1 and draw(st.booleans()):
        first, *others = [WantedLine(good.variant.id, good.quantity) for good in ordered]
        rest = [replace(first, quantity=first.quantity - 1)] if first.quantity > 1 else []
        deliveries = [
            WantedDelivery(method, postal=HANGZHOU, lines=[replace(first, quantity=1)]),
            WantedDelivery(method, postal=HANGZHOU, lines=rest + others),
        ]
    wish = Wish(Owner(None, None), lines=[], deliveries=deliveries)
    basket = Basket(CNY, ordered, (), (), None)
    return quoted(wish, basket, Facts(book={}, main=None, tariff=TARIFF, offers=offers), now=NOW)


@given(quotes())
def test_lines_and_deliveries_add_up_to_the_total_and_none_is_negative(quote: Quote) -> None:
    lines = sum(line.total.minor for line in quote.lines)
    fees = sum(delivery.total.minor for delivery in quote.deliveries)

    assert lines + fees == quote.total.minor
    assert quote.total.minor == quote.goods.minor - quote.discount.minor + quote.shipping.minor
    assert min(line.total.minor for line in quote.lines) >= 0
    assert min(delivery.total.minor for delivery in quote.deliveries) >= 0


@given(quotes())
def test_what_every_offer_takes_is_kept_line_by_line_and_fee_by_fee(quote: Quote) -> None:
    taken: dict[int, int] = {}
    discounted: list[QuotedLine | QuotedDelivery] = [*quote.lines, *quote.deliveries]
    for priced in discounted:
        parts = discounts_of(priced)
        assert sum(part["amount"] for part in parts) == priced.discount.minor
        for part in parts:
            taken[part["offer_id"]] = taken.get(part["offer_id"], 0) + part["amount"]

    uses = quote.sums.uses(order_id=1, account_id=1)
    assert taken == {use.offer.id: use.amount.minor for use in uses}
    assert {each.offer.id for each in quote.offers if each.applied} == taken.keys()


@given(quotes(), st.data())
def test_refunding_everything_in_any_parts_gives_back_what_was_paid(
    quote: Quote, data: st.DataObject
) -> None:
    """Through the sums of after-sales, tickets of any lines in any order."""
    lines = [
        OrderLine(
            id=place,
            currency=CNY,
            unit_amount=line.unit.minor,
            quantity=line.quantity,
            discount_amount=line.discount.minor,
            cancelled_amount=0,
        )
        for place, line in enumerate(quote.lines)
    ]
    units = [Units(bought=line.quantity) for line in lines]
    given_back = 0
    while open_ := [place for place, each in enumerate(units) if each.refunded < each.bought]:
        place = data.draw(st.sampled_from(open_))
        count = data.draw(st.integers(1, units[place].bought - units[place].refunded))
        amount = line_refund(lines[place], units[place], count)
        assert amount >= 0
        units[place].refunded += count
        units[place].refunded_amount += amount
        given_back += amount

    assert given_back + quote.shipping.minor == quote.total.minor


def test_a_cart_costs_what_the_quote_says_without_fees() -> None:
    rows = {1: offer(1, OfferKind.FULL_REDUCTION, tiers=[{"minimum": 30_000, "amount": 4_000}])}
    offers = Offers(rows, {1: offer_of(rows[1])}, {})
    basket = Priceable((BasketLine(1, 1, 3, Money(9_900, CNY)),), (), CNY)

    pricing: Pricing = price(basket, offers, codes=(), account_id=None, now=NOW)

    [judged] = pricing.judged
    assert (pricing.total.minor, judged.missing_amount) == (29_700, Money(300, CNY))
    assert judged.words == "3.00 CNY more for Offer 1."
