"""The shop's offers: kept by clerks, read for baskets, used by orders and given back.

What they come to is reckoned by `domain.promotion`; here are their rows. An order, or a whole batch of
orders in one transaction, needs

1. `offers_for`: one statement, whatever the number of baskets, codes and buyers;
2. `price` for each basket: no statement;
3. `use_offers`: one statement that remembers the uses; one more when any of them is limited per customer,
   and one more when any is limited at all (a hot row: call it last, after the stock is reserved). None when
   no offer applied. It raises OfferGone, with the uses that came too late, and then all must be undone.

`give_back_offers` takes as many for all orders given: one to release the uses, one each for what they
were counted in. `give_back_units` does so for the part of one order that is cancelled.
"""

from domain.offer.checked import Draft
from domain.offer.pricing import Judged, Pricing, price
from domain.offer.refusals import CouponRefused, OfferGone
from domain.offer.running import Offers, offers_for
from domain.offer.saving import Known, archive_offer, save_offer
from domain.offer.terms import category_ids, code_of, codes_of
from domain.offer.using import Leaving, Use, give_back_offers, give_back_units, use_offers

__all__ = [
    "CouponRefused",
    "Draft",
    "Judged",
    "Known",
    "Leaving",
    "OfferGone",
    "Offers",
    "Pricing",
    "Use",
    "archive_offer",
    "category_ids",
    "code_of",
    "codes_of",
    "give_back_offers",
    "give_back_units",
    "offers_for",
    "price",
    "save_offer",
    "use_offers",
]
