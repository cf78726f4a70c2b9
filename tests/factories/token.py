"""Access tokens without a password, and tokens of guests' carts."""

from datetime import datetime

from events.shop import Shop
from gateways.secrets import Secrets
from gateways.tokens import AccessToken, write_cart_token, write_token
from models import Account, SignIn


async def sign_in_account(shop: Shop, account: Account) -> str:
    """Return a fresh access token of a new sign-in of `account`, whose rights the shop has looked up."""
    family = shop.secrets.new_token()
    async with shop.database.writes.begin() as session:
        session.add(create_sign_in(account, family=family, now=shop.clock()))
    await shop.session_rights.find(family)
    return access_token_for(shop, account, family=family)


def create_sign_in(account: Account, *, family: str, now: datetime) -> SignIn:
    """A sign-in that does not end by itself."""
    return SignIn(
        account_id=account.id,
        family=family,
        address="",
        user_agent="",
        created_at=now,
        used_at=now,
        expires_at=datetime.max.replace(tzinfo=now.tzinfo),
    )


def access_token_for(shop: Shop, account: Account, *, family: str) -> str:
    """Return a fresh access token of a sign-in."""
    now = shop.clock()
    token = AccessToken(account.id, account.role, family, now + shop.settings.tokens.access_lifetime)
    return write_token(shop.settings.signing_key(), token, now=now)


def new_cart_token(shop: Shop) -> str:
    """Return a token of no cart yet, as the shop makes it."""
    return write_cart_token(shop.settings.signing_key(), Secrets().new_token())
