"""Lines of carts at the price and with the available units of the moment they are read."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select

from models.availability import available_units
from models.cart import Cart, CartLine, SavedLine
from models.money import Money
from models.sellable import SellableVariant, build_sellable, select_sellable
from models.sql.types import AnyRow, AnySelect

L = TypeVar("L", bound="LiveLine")


@dataclass(frozen=True, slots=True)
class LiveLine:
    """Units of a variant, as it is sold now and at the price its owner saw when it was added."""

    id: int
    cart_id: int
    quantity: int
    merged_quantity: int | None
    """Units that two carts held together, where fewer are left after their merge."""
    seen_price: Money
    sellable: SellableVariant

    @property
    def variant_id(self) -> int:
        return self.sellable.variant.id

    @property
    def product_id(self) -> int:
        return self.sellable.variant.product_id

    @property
    def brand(self) -> str:
        return self.sellable.brand

    @property
    def category_path(self) -> str | None:
        return self.sellable.category_path

    @property
    def unit_price(self) -> Money | None:
        """What one costs now; None when it is not sold any more."""
        return self.sellable.unit_price

    @property
    def available(self) -> int | None:
        """Units that can be ordered now; None where there is no limit."""
        return self.sellable.available

    @property
    def backordered(self) -> int:
        """How many of these units would wait for stock."""
        return self.sellable.count_backordered(self.quantity)

    @property
    def total(self) -> Money | None:
        return None if self.unit_price is None else self.unit_price * self.quantity


class LiveCartLine(LiveLine):
    """A line of a cart."""


class LiveSavedLine(LiveLine):
    """A line saved for later."""


TABLES: dict[type[LiveLine], type[CartLine] | type[SavedLine]] = {
    LiveCartLine: CartLine,
    LiveSavedLine: SavedLine,
}


def select_live_lines(kind: type[LiveLine], cart_ids: Collection[int]) -> AnySelect:
    """What `build_live_line` reads, in the order in which the lines were added."""
    table = TABLES[kind]
    lines = (
        select(table, Cart.currency)
        .join(Cart, Cart.id == table.cart_id)
        .where(table.cart_id.in_(cart_ids))
        .subquery("lines")
    )
    columns = (lines.c.id, lines.c.cart_id, lines.c.quantity, lines.c.merged_quantity, lines.c.seen_amount)
    return select_sellable(lines).add_columns(available_units(), *columns).order_by(lines.c.id)


def build_live_line(kind: type[L], row: AnyRow) -> L:
    """From a row of `select_live_lines`."""
    units, line_id, cart_id, quantity, merged_quantity, seen_amount = row[-6:]
    return kind(
        id=line_id,
        cart_id=cart_id,
        quantity=quantity,
        merged_quantity=merged_quantity,
        seen_price=Money(seen_amount, row[0]),
        sellable=build_sellable(row, [units]),
    )
