"""What a basket costs when the shop has offers: pure sums, exact to the cent.

The order of application, decided here and nowhere else:

| stage    | offers                                                       | its amounts are measured after |
|----------|--------------------------------------------------------------|--------------------------------|
| FLASH    | a special price for some units of a variant                  | nothing: the ordinary prices   |
| UNITS    | buy n, get m: the cheapest units of its goods are free       | FLASH                          |
| LINES    | percent, fixed and full reduction for part of the assortment | UNITS                          |
| ORDER    | percent, fixed and full reduction for everything             | LINES                          |
| SHIPPING | free shipping                                                | ORDER: what the goods cost     |

- A minimum and the steps of a full reduction look at what the offer's own goods cost when its stage
  begins: offers of one stage do not move each other's minimum, those of earlier stages do.
- Each offer takes its part of what the ones before it left, never more. Inside a stage the higher
  priority comes first, then automatic offers before coupons, then percent before fixed before full
  reduction, then the older offer.
- What an offer takes is shared among its lines, or among the deliveries, by what they still cost
  (largest remainder), so every line has whole minor units of every offer.
- Offers that share an exclusion group exclude each other; one that is not stackable stands alone. A
  variant has one special price, and its units count for one offer of free units.
- Of all legal combinations one with the lowest total is applied (`combine`). Where totals are equal, the
  offers that come first are preferred, but a coupon or a limited offer is kept for another time when the
  others do as well without it.
"""

from domain.promotion.basket import Basket, BasketLine, BuyerFacts
from domain.promotion.combine import CANDIDATES_LIMIT, STEPS_LIMIT
from domain.promotion.offers import (
    BuyGet,
    Fixed,
    FlashSale,
    FreeShipping,
    FullReduction,
    Offer,
    Percent,
    Scope,
    Stage,
    Tier,
)
from domain.promotion.price import price_basket
from domain.promotion.priced import AppliedOffer, Discount, Priced, PricedDelivery, PricedLine
from domain.promotion.refund import refund_share
from domain.promotion.verdicts import Reason, Verdict

__all__ = [
    "CANDIDATES_LIMIT",
    "STEPS_LIMIT",
    "AppliedOffer",
    "Basket",
    "BasketLine",
    "BuyGet",
    "BuyerFacts",
    "Discount",
    "Fixed",
    "FlashSale",
    "FreeShipping",
    "FullReduction",
    "Offer",
    "Percent",
    "Priced",
    "PricedDelivery",
    "PricedLine",
    "Reason",
    "Scope",
    "Stage",
    "Tier",
    "Verdict",
    "price_basket",
    "refund_share",
]
