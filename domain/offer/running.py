"""The offers that matter for some baskets: one statement, however many baskets."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.offer.terms import offer_of
from domain.promotion import BuyerFacts, FlashSale, Offer, Priced
from models import CurrencyCode, OfferBuyer
from models import Offer as Row

NOBODY = BuyerFacts()


@dataclass(frozen=True, slots=True)
class Offers:
    """What the shop offers at a moment, and what each buyer has had of it."""

    rows: Mapping[int, Row]
    offers: dict[int, Offer]
    buyers: dict[int, BuyerFacts]

    def relevant(
        self, *, currency: CurrencyCode, codes: Collection[str], variant_ids: Collection[int]
    ) -> list[Offer]:
        """What is considered for one basket: what applies by itself, and the codes it has."""
        return [
            offer
            for id, offer in self.offers.items()
            if (offer.code in codes if offer.code else self.may_apply(id, currency, variant_ids))
        ]

    def may_apply(self, id: int, currency: CurrencyCode, variant_ids: Collection[int]) -> bool:
        row = self.rows[id]
        in_currency = row.currency is None or row.currency is currency
        return in_currency and (row.variant_id is None or row.variant_id in variant_ids)

    def take(self, priced: Priced, account_id: int) -> None:
        """Somebody uses what they were priced with: it is less for those priced after them."""
        had = self.facts(account_id)
        uses, units = dict(had.uses), dict(had.flash_units)
        for each in priced.applied:
            offer, flash_units = self.offers[each.offer_id], each.flash_units
            terms = offer.terms
            if isinstance(terms, FlashSale):
                terms = replace(terms, left=terms.left - flash_units)
            self.offers[offer.id] = replace(offer, used=offer.used + 1, terms=terms)
            uses[offer.id] = uses.get(offer.id, 0) + 1
            units[offer.id] = units.get(offer.id, 0) + flash_units
        self.buyers[account_id] = BuyerFacts(uses, units)

    def facts(self, account_id: int | None) -> BuyerFacts:
        return self.buyers.get(account_id or 0, NOBODY)


async def offers_for(
    session: AsyncSession,
    *,
    currencies: Collection[CurrencyCode],
    codes: Collection[str],
    variant_ids: Collection[int],
    buyer_ids: Collection[int],
    now: datetime,
    hold: bool = False,
) -> Offers:
    """Automatic offers that run now, flash sales of these variants, and the codes whatever their time.

    `codes` are as they are stored (`code_of`). One that is unknown or archived is simply not there.
    `hold` keeps them as they are until the transaction ends.
    """
    automatic = and_(
        Row.code.is_(None),
        runs_at(now),
        or_(Row.currency.is_(None), Row.currency.in_(currencies)),
        or_(Row.variant_id.is_(None), Row.variant_id.in_(variant_ids)),
    )
    had = and_(OfferBuyer.offer_id == Row.id, OfferBuyer.account_id.in_(buyer_ids))
    wanted = (
        select(Row, OfferBuyer.account_id, OfferBuyer.uses, OfferBuyer.flash_units)
        .outerjoin(OfferBuyer, had)
        .where(Row.archived_at.is_(None), or_(automatic, Row.code.in_(codes)) if codes else automatic)
        .order_by(Row.id)
        .execution_options(populate_existing=True)
    )
    found = await session.execute(wanted.with_for_update(of=Row, key_share=True) if hold else wanted)
    rows: dict[int, Row] = {}
    uses: defaultdict[int, dict[int, int]] = defaultdict(dict)
    units: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for row, account_id, used, flash_units in found:
        rows[row.id] = row
        if account_id is not None:
            uses[account_id][row.id] = used
            units[account_id][row.id] = flash_units
    return Offers(
        rows=rows,
        offers={id: offer_of(row) for id, row in rows.items()},
        buyers={account_id: BuyerFacts(uses[account_id], units[account_id]) for account_id in uses},
    )


def runs_at(now: datetime) -> ColumnElement[bool]:
    """Offers whose time has come and is not over."""
    return and_(
        or_(Row.starts_at.is_(None), Row.starts_at <= now),
        or_(Row.ends_at.is_(None), Row.ends_at > now),
    )
