from events.shop import Shop
from gateways.tokens import AccessToken, write_token
from models import Account


def access_token(shop: Shop, account: Account, *, family: str = "test") -> str:
    """What somebody who has just signed in holds."""
    now = shop.clock()
    token = AccessToken(account.id, account.role, family, now + shop.settings.access_token_lives)
    return write_token(shop.settings.signing_key(), token, now=now)
