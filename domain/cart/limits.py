"""How much a cart holds, and the refusals of more."""

from domain.cart.goods import Offer
from domain.errors import Invalid, LimitReached, NotForSale, OutOfStock
from models import Money

LINES_LIMIT = 100
"""Different variants in one cart; a merged cart may have more, and takes no new ones then."""
SAVED_LIMIT = 200
"""Different variants saved for later."""
QUANTITY_LIMIT = 999
"""Units on one line."""
COUPONS_LIMIT = 5

Path = tuple[str | int, ...]


def check_quantity(quantity: int, *, least: int, field: Path = ("quantity",)) -> None:
    if quantity < least:
        raise Invalid(f"A quantity is {least} or more.", field=field)
    if quantity > QUANTITY_LIMIT:
        raise LimitReached(f"At most {QUANTITY_LIMIT} of one thing.", field=field)


def check_left(offer: Offer, quantity: int, *, field: Path = ("quantity",)) -> None:
    if offer.left is not None and quantity > offer.left:
        raise OutOfStock(offer.name, left=max(offer.left, 0), field=field)


def check_lines(lines: int, *, field: Path = ("variant_id",)) -> None:
    if lines > LINES_LIMIT:
        raise LimitReached(f"A cart holds at most {LINES_LIMIT} different things.", field=field)


def price_of(offer: Offer, *, field: Path = ("variant_id",)) -> Money:
    if offer.unit is None:
        raise NotForSale(f"{offer.name} is not for sale.", field=field)
    return offer.unit
