"""Store credit of customers, and the gift cards that become it."""

from domain.store_credit.balance import (
    CreditPayment,
    check_refund_target,
    find_balances,
    forfeit_credit,
    has_store_credit,
    lock_balances,
    lock_store_credit,
    refund_to_credit,
    select_balances,
    spend_credit,
)
from domain.store_credit.bonus import grant_bonus, revoke_bonus
from domain.store_credit.gift_cards import (
    expire_gift_card,
    issue_gift_card,
    redeem_gift_card,
    select_expired_gift_cards,
    void_gift_card,
)
from domain.store_credit.states import GIFT_CARD_TRANSITIONS

__all__ = [
    "GIFT_CARD_TRANSITIONS",
    "CreditPayment",
    "check_refund_target",
    "expire_gift_card",
    "find_balances",
    "forfeit_credit",
    "grant_bonus",
    "has_store_credit",
    "issue_gift_card",
    "lock_balances",
    "lock_store_credit",
    "redeem_gift_card",
    "refund_to_credit",
    "revoke_bonus",
    "select_balances",
    "select_expired_gift_cards",
    "spend_credit",
    "void_gift_card",
]
