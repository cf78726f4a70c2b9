"""How an offer is refused."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.errors import DomainError, ErrorCode

if TYPE_CHECKING:
    from domain.offer.using import Use


class CouponRefused(DomainError):
    code = ErrorCode.COUPON_REFUSED


class OfferGone(DomainError):
    """Others were quicker between the price and the use of an offer: worth one more look.

    `lost` are the uses that came too late; the other orders of the same batch would have had theirs.
    """

    def __init__(self, lost: Sequence["Use"]) -> None:
        first = lost[0]
        self.code = ErrorCode.COUPON_REFUSED if first.offer.code else ErrorCode.AMOUNT_MISMATCH
        field = ("coupon_codes",) if first.offer.code else ("payments",)
        super().__init__(f"{first.offer.label} has been used up meanwhile.", field=field)
        self.lost = lost

    @property
    def order_ids(self) -> frozenset[int]:
        """The orders that must be priced anew."""
        return frozenset(use.order_id for use in self.lost)
