"""How often something may be done from one address or by one account."""

from enum import StrEnum

from domain.errors import LimitReached
from events.shop import Shop
from gateways.buckets import Rate
from settings.rates import RateSettings

MINUTE_SECONDS = 60
HOUR_SECONDS = 3_600


class LimitedAction(StrEnum):
    """What is limited for each address; the value is part of the key of its bucket."""

    SIGN_IN = "sign_in"
    REGISTRATION = "registration"
    GUEST_CART = "guest_cart"
    GUEST_ORDER = "guest_order"
    UPLOAD = "upload"
    WEBHOOK = "webhook"
    GIFT_CARD = "gift_card"


class TooManyAttempts(LimitReached):
    """Something was done too often; `retry_after_seconds` says when it may be done again."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("This was done too often from here. Wait a little, then try again.")
        self.retry_after_seconds = retry_after


def rate_of(action: LimitedAction, rates: RateSettings) -> Rate:
    """The bucket of an action, by the settings."""
    count, seconds = {
        LimitedAction.SIGN_IN: (rates.sign_ins, MINUTE_SECONDS),
        LimitedAction.REGISTRATION: (rates.registrations, HOUR_SECONDS),
        LimitedAction.GUEST_CART: (rates.guest_carts, HOUR_SECONDS),
        LimitedAction.GUEST_ORDER: (rates.guest_orders, HOUR_SECONDS),
        LimitedAction.UPLOAD: (rates.uploads, MINUTE_SECONDS),
        LimitedAction.WEBHOOK: (rates.refused_webhooks, MINUTE_SECONDS),
        LimitedAction.GIFT_CARD: (rates.gift_cards, HOUR_SECONDS),
    }[action]
    return Rate(count, count / seconds)


async def limit_action(shop: Shop, action: LimitedAction, *, by: str) -> None:
    """Count one more of `action` by an address or account; TooManyAttempts beyond its rate."""
    taken = await shop.buckets.take(f"{action}:{by}", 1, rate_of(action, shop.settings.rates))
    if not taken.allowed:
        shop.metrics.refusals.add(action.value)
        raise TooManyAttempts(taken.retry_after)


async def check_action(shop: Shop, action: LimitedAction, *, by: str) -> None:
    """TooManyAttempts where no further `action` by an address or account would be within its rate; nothing
    is counted."""
    rate = rate_of(action, shop.settings.rates)
    left = (await shop.buckets.take(f"{action}:{by}", 0, rate)).left
    if left < 1:
        shop.metrics.refusals.add(action.value)
        raise TooManyAttempts((1 - left) / rate.per_second)


async def forgive_action(shop: Shop, action: LimitedAction, *, by: str) -> None:
    """Count one less, where it turned out to be harmless."""
    await shop.buckets.put_back(f"{action}:{by}", 1, rate_of(action, shop.settings.rates))
