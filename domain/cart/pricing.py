"""What lines cost with the promotions of the moment: the only callers of the promotion engine."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from domain.promotion import (
    ActivePromotions,
    PricingResult,
    category_ids_in,
    find_active_promotions,
    price_with_promotions,
)
from domain.promotion.engine import Basket, BasketLine
from models import Cart, CurrencyCode, Money
from models.live_lines import LiveCartLine, build_live_line, select_live_lines


class PriceableLine(Protocol):
    """Units of a variant, and what promotions may ask about them."""

    @property
    def variant_id(self) -> int: ...
    @property
    def product_id(self) -> int: ...
    @property
    def quantity(self) -> int: ...
    @property
    def unit_price(self) -> Money | None: ...
    @property
    def category_path(self) -> str | None: ...
    @property
    def brand(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CartContents:
    """A cart, its lines and the coupon codes to try."""

    cart: Cart
    lines: Sequence[PriceableLine]
    codes: Sequence[str]


async def price_carts(
    session: AsyncSession, contents: Sequence[CartContents], *, now: datetime
) -> list[PricingResult]:
    """The price of each cart before shipping; one statement for the promotions of all of them."""
    promotions = await find_active_promotions(
        session,
        currencies={each.cart.currency for each in contents},
        codes={code for each in contents for code in each.codes},
        variant_ids={line.variant_id for each in contents for line in each.lines},
        buyer_ids={each.cart.account_id for each in contents if each.cart.account_id is not None},
        now=now,
    )
    return [
        price_lines(
            each.lines,
            promotions,
            currency=each.cart.currency,
            codes=each.codes,
            account_id=each.cart.account_id,
            now=now,
        )
        for each in contents
    ]


async def price_cart(
    session: AsyncSession, cart: Cart, *, codes: Sequence[str], now: datetime
) -> PricingResult:
    """The price of a cart with these codes, before shipping, at the prices this transaction sees."""
    rows = await session.execute(select_live_lines(LiveCartLine, [cart.id]))
    lines = [build_live_line(LiveCartLine, row) for row in rows]
    [result] = await price_carts(session, [CartContents(cart, lines, codes)], now=now)
    return result


def price_lines(
    lines: Iterable[PriceableLine],
    promotions: ActivePromotions,
    *,
    currency: CurrencyCode,
    codes: Collection[str],
    account_id: int | None,
    now: datetime,
    fees: Iterable[Money] = (),
) -> PricingResult:
    """The lowest price the promotions allow for these lines and shipping fees.

    Lines that are not for sale are left out. `codes` are coupon codes as they are stored.
    """
    basket = Basket(lines=tuple(basket_lines(lines)), fees=tuple(fees), currency=currency)
    return price_with_promotions(basket, promotions, codes=codes, account_id=account_id, now=now)


def basket_lines(lines: Iterable[PriceableLine]) -> Iterator[BasketLine]:
    for line in lines:
        if line.unit_price is not None:
            yield BasketLine(
                variant_id=line.variant_id,
                product_id=line.product_id,
                quantity=line.quantity,
                unit_price=line.unit_price,
                category_ids=category_ids_in(line.category_path),
                brand=line.brand,
            )
