"""How much a cart holds, and the refusals of more."""

from domain.cart.sellable import label_of
from domain.errors import Invalid, LimitReached, NotForSale, OutOfStock
from models import Money
from models.sellable import SellableVariant

LINES_LIMIT = 100
"""Different variants in one cart; a merged cart may have more, and takes no new ones then."""
SAVED_LIMIT = 200
"""Different variants saved for later."""
QUANTITY_LIMIT = 10_000
"""Units of one variant on one line, of a cart and of an order."""
COUPONS_LIMIT = 5
"""Coupons on one cart, and on one order."""

Path = tuple[str | int, ...]


def check_quantity(quantity: int, *, least: int, field: Path = ("quantity",)) -> None:
    if quantity < least:
        raise Invalid("A quantity is {least} or more.", least=least, field=field)
    if quantity > QUANTITY_LIMIT:
        raise LimitReached("At most {limit} of one thing.", limit=QUANTITY_LIMIT, field=field)


def check_available(sellable: SellableVariant, quantity: int, *, field: Path = ("quantity",)) -> None:
    if sellable.available is not None and quantity > sellable.available:
        raise OutOfStock(label_of(sellable), left=max(sellable.available, 0), field=field)


def check_line_count(lines: int, *, field: Path = ("variant_id",)) -> None:
    if lines > LINES_LIMIT:
        raise LimitReached("A cart holds at most {limit} different things.", limit=LINES_LIMIT, field=field)


def require_unit_price(sellable: SellableVariant, *, field: Path = ("variant_id",)) -> Money:
    if sellable.unit_price is None:
        raise NotForSale("{name} is not for sale.", name=label_of(sellable), field=field)
    return sellable.unit_price
