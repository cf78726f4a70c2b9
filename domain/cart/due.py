"""Carts that are to be deleted."""

from datetime import datetime

from sqlalchemy import select

from domain.cart.expiry import is_untouched_since
from models import Cart
from models.sql.types import AnySelect


def due_guest_carts(moment: datetime) -> AnySelect:
    """Select the id of the one cart of a guest that nobody has touched since `moment` for the longest.

    One is enough: `delete_untouched_carts` deletes the others with it.
    """
    oldest = select(Cart.id).where(is_untouched_since(moment)).order_by(Cart.updated_at).limit(1)
    return select(Cart.id).where(Cart.id == oldest.scalar_subquery())
