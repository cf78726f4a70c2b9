"""What a basket costs with the shop's promotions: pure sums in minor units.

The order of application, defined here and nowhere else:

| stage    | promotions                                                   | its amounts are measured after |
|----------|--------------------------------------------------------------|--------------------------------|
| FLASH    | a special price for some units of a variant                  | nothing: the ordinary prices   |
| UNITS    | buy n, get m: what the cheapest units of its items cost      | FLASH                          |
| LINES    | percent, fixed and full reduction for some of the items      | UNITS                          |
| ORDER    | percent, fixed and full reduction for all items              | LINES                          |
| SHIPPING | free shipping                                                | ORDER: what the items cost     |

- A minimum and the tiers of a full reduction look at what the promotion's own items cost when its stage
  begins: promotions of one stage do not change each other's minimum, those of earlier stages do.
- Each promotion takes its part of what the ones before it left, never more. Inside a stage the higher
  priority comes first, then automatic promotions before coupons, then percent before fixed before full
  reduction, then the older promotion.
- What a promotion takes off is apportioned to its lines, or to the deliveries, by what they still cost
  (largest remainder), so every line has whole minor units of every promotion.
- Of buy n, get m the cheapest units decide the amount only: it is shared by price over all units of the sets,
  bought or given, so that no unit is kept for nothing when others go back. Units beyond the last whole set,
  the dearest ones, cost what they cost.
- Promotions that share an exclusion group exclude each other; one that is not stackable applies without any
  other. A variant has one special price, and its units count for one promotion of free units.
- Of all legal combinations one with the lowest total is applied (`combination`). Where totals are equal, the
  promotions that come first are preferred, but a coupon or a limited promotion is not used when the others
  do as well without it.
"""

from domain.promotion.engine.basket import Basket, BasketLine, BuyerFacts
from domain.promotion.engine.evaluation import PromotionEvaluation, PromotionReason
from domain.promotion.engine.priced_basket import (
    AppliedPromotion,
    Discount,
    PricedBasket,
    PricedDelivery,
    PricedLine,
)
from domain.promotion.engine.pricing import price_basket
from domain.promotion.engine.refund import refund_share
from domain.promotion.engine.rules import (
    BuyGet,
    Fixed,
    FlashPrice,
    FreeShipping,
    FullReduction,
    Percent,
    PromotionRule,
    PromotionStage,
    Scope,
    Tier,
)

__all__ = [
    "AppliedPromotion",
    "Basket",
    "BasketLine",
    "BuyGet",
    "BuyerFacts",
    "Discount",
    "Fixed",
    "FlashPrice",
    "FreeShipping",
    "FullReduction",
    "Percent",
    "PricedBasket",
    "PricedDelivery",
    "PricedLine",
    "PromotionEvaluation",
    "PromotionReason",
    "PromotionRule",
    "PromotionStage",
    "Scope",
    "Tier",
    "price_basket",
    "refund_share",
]
