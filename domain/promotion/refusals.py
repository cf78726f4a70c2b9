"""Refusals of coupons and promotions."""

from collections.abc import Sequence

from domain.errors import DomainError, ErrorCode
from domain.promotion.use_request import PromotionUseRequest


class CouponRefused(DomainError):
    code = ErrorCode.COUPON_REFUSED


class PromotionUsedUp(DomainError):
    """Others used a promotion up between pricing and ordering: price again and retry.

    `refused` are the uses that came too late; the other orders of the batch would have had theirs.
    """

    def __init__(self, refused: Sequence[PromotionUseRequest]) -> None:
        first = refused[0].promotion
        self.code = ErrorCode.COUPON_REFUSED if first.code else ErrorCode.AMOUNT_MISMATCH
        field = ("coupon_codes",) if first.code else ("payments",)
        super().__init__("{promotion} has been used up meanwhile.", promotion=first.label, field=field)
        self.refused = refused

    @property
    def order_ids(self) -> frozenset[int]:
        """The orders that must be priced anew."""
        return frozenset(use.order_id for use in self.refused)
