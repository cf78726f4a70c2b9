"""Access tokens without a sign-in."""

from events.shop import Shop
from gateways.tokens import AccessToken, write_token
from models import Account


def access_token_for(shop: Shop, account: Account, *, family: str = "test") -> str:
    """Return a fresh access token of `account`, as a sign-in gives it."""
    now = shop.clock()
    token = AccessToken(account.id, account.role, family, now + shop.settings.tokens.access_lifetime)
    return write_token(shop.settings.signing_key(), token, now=now)
