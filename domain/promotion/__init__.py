"""The shop's promotions: editing, pricing baskets with them, recording their use by orders, releasing it.

`domain.promotion.engine` computes what they take off. An order, or a batch of orders in one transaction,
calls in this order:

1. `find_active_promotions`: one statement, whatever the number of baskets, codes and buyers;
2. `price_with_promotions` for each basket: no statement;
3. `use_promotions`: one statement that records the uses; one more when any of them is limited per customer,
   and one more when any is limited at all (a contended row: call it last, after the stock is reserved). None
   when no promotion applied. It raises PromotionUsedUp with the uses that came too late; the transaction must
   then be rolled back.

`release_promotions` takes three statements for all cancelled orders: one for the uses and one for each kind
of counter. `release_promotion_units` does the same for the part of one order that is cancelled.
"""

from domain.promotion.active import ActivePromotions, find_active_promotions
from domain.promotion.codes import normalize_code, normalize_codes
from domain.promotion.editing import PromotionVersion, archive_promotion, save_promotion
from domain.promotion.mapping import category_ids_in
from domain.promotion.pricing import EvaluatedPromotion, PricingResult, price_with_promotions
from domain.promotion.refusals import CouponRefused, PromotionUsedUp
from domain.promotion.release import (
    CancelledUnits,
    release_promotion_units,
    release_promotions,
    release_promotions_but,
)
from domain.promotion.rule_snapshot import count_used, dump_rule, load_rule
from domain.promotion.usage import use_promotions
from domain.promotion.use_request import PromotionUseRequest
from domain.promotion.validation import PromotionDraft

__all__ = [
    "ActivePromotions",
    "CancelledUnits",
    "CouponRefused",
    "EvaluatedPromotion",
    "PricingResult",
    "PromotionDraft",
    "PromotionUseRequest",
    "PromotionUsedUp",
    "PromotionVersion",
    "archive_promotion",
    "category_ids_in",
    "count_used",
    "dump_rule",
    "find_active_promotions",
    "load_rule",
    "normalize_code",
    "normalize_codes",
    "price_with_promotions",
    "release_promotion_units",
    "release_promotions",
    "release_promotions_but",
    "save_promotion",
    "use_promotions",
]
