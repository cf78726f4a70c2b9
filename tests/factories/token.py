"""Access tokens without a sign-in, and tokens of guests' carts."""

from events.shop import Shop
from gateways.secrets import Secrets
from gateways.tokens import AccessToken, write_cart_token, write_token
from models import Account


def access_token_for(shop: Shop, account: Account, *, family: str = "test") -> str:
    """Return a fresh access token of `account`, as a sign-in gives it."""
    now = shop.clock()
    token = AccessToken(account.id, account.role, family, now + shop.settings.tokens.access_lifetime)
    return write_token(shop.settings.signing_key(), token, now=now)


def new_cart_token(shop: Shop) -> str:
    """Return a token of no cart yet, as the shop makes it."""
    return write_cart_token(shop.settings.signing_key(), Secrets().new_token())
