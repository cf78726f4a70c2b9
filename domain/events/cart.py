"""Events of carts."""

from domain.events.types import CartEvent


class CartChanged(CartEvent, name="cart.changed"):
    pass


class CartMerged(CartEvent, name="cart.merged"):
    """The last event of a guest's cart: its lines are in the customer's."""


class CartItemsChanged(CartEvent, name="cart.items_changed"):
    """A price, the stock or a promotion of what is in a cart has changed.

    It is shown to watchers and never stored: it makes no version of the cart.
    """
