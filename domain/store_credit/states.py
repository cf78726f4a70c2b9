"""The transitions of gift cards."""

from domain.state import transition_table
from models import GiftCardStatus

GIFT_CARD_TRANSITIONS = transition_table(
    GiftCardStatus.ISSUED,
    {
        GiftCardStatus.ISSUED: {
            GiftCardStatus.REDEEMED,
            GiftCardStatus.VOIDED,
            GiftCardStatus.EXPIRED,
        },
        GiftCardStatus.REDEEMED: set(),
        GiftCardStatus.VOIDED: set(),
        GiftCardStatus.EXPIRED: set(),
    },
)
