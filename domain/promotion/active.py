"""Finding the promotions that may apply to some baskets, in one statement for all of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.promotion.engine import BuyerFacts, FlashPrice, PricedBasket, PromotionRule
from domain.promotion.mapping import rule_of
from models import CurrencyCode, Promotion, PromotionBuyer

NEW_CUSTOMER = BuyerFacts()
GUEST = BuyerFacts(has_account=False)


@dataclass(frozen=True, slots=True)
class ActivePromotions:
    """Promotions by id, as rows and as rules, and what each buyer has used of them, by account id."""

    rows: Mapping[int, Promotion]
    rules: dict[int, PromotionRule]
    buyers: dict[int, BuyerFacts]

    def select_for(
        self, *, currency: CurrencyCode, codes: Collection[str], variant_ids: Collection[int]
    ) -> list[PromotionRule]:
        """The rules to consider for one basket: automatic ones that may apply, and those of its codes."""
        return [
            rule
            for id, rule in self.rules.items()
            if (rule.code in codes if rule.code else self.may_apply(id, currency, variant_ids))
        ]

    def may_apply(self, id: int, currency: CurrencyCode, variant_ids: Collection[int]) -> bool:
        """Whether the promotion is for this currency and, if for one variant, for one of these."""
        row = self.rows[id]
        in_currency = row.currency is None or row.currency is currency
        return in_currency and (row.variant_id is None or row.variant_id in variant_ids)

    def count_uses(self, priced: PricedBasket, account_id: int | None) -> None:
        """Count what a basket uses, in memory only, so that baskets priced after it get what is left."""
        facts = self.buyer_facts(account_id)
        uses, units = dict(facts.uses), dict(facts.flash_units)
        for each in priced.applied:
            rule, flash_units = self.rules[each.promotion_id], each.flash_units
            terms = rule.terms
            if isinstance(terms, FlashPrice):
                terms = replace(terms, left=terms.left - flash_units)
            self.rules[rule.id] = replace(rule, used=rule.used + 1, terms=terms)
            uses[rule.id] = uses.get(rule.id, 0) + 1
            units[rule.id] = units.get(rule.id, 0) + flash_units
        if account_id is not None:
            self.buyers[account_id] = BuyerFacts(uses, units)

    def buyer_facts(self, account_id: int | None) -> BuyerFacts:
        """What somebody has used before; a guest has no account."""
        return GUEST if account_id is None else self.buyers.get(account_id, NEW_CUSTOMER)


async def find_active_promotions(
    session: AsyncSession,
    *,
    currencies: Collection[CurrencyCode],
    codes: Collection[str],
    variant_ids: Collection[int],
    buyer_ids: Collection[int],
    now: datetime,
    lock: bool = False,
) -> ActivePromotions:
    """Automatic promotions that run now, flash sales of these variants, and those of the codes at any time.

    `codes` are normalized (`normalize_code`); unknown and archived ones are left out. With `lock` the rows
    cannot be changed by others until the transaction ends.
    """
    is_automatic = and_(
        Promotion.code.is_(None),
        is_running_at(now),
        or_(Promotion.currency.is_(None), Promotion.currency.in_(currencies)),
        or_(Promotion.variant_id.is_(None), Promotion.variant_id.in_(variant_ids)),
    )
    is_relevant = or_(is_automatic, Promotion.code.in_(codes)) if codes else is_automatic
    of_buyers = and_(PromotionBuyer.promotion_id == Promotion.id, PromotionBuyer.account_id.in_(buyer_ids))
    statement = (
        select(Promotion, PromotionBuyer.account_id, PromotionBuyer.uses, PromotionBuyer.flash_units)
        .outerjoin(PromotionBuyer, of_buyers)
        .where(Promotion.archived_at.is_(None), is_relevant)
        .order_by(Promotion.id)
        .execution_options(populate_existing=True)
    )
    if lock:
        statement = statement.with_for_update(of=Promotion, key_share=True)
    rows: dict[int, Promotion] = {}
    uses: defaultdict[int, dict[int, int]] = defaultdict(dict)
    units: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for row, account_id, used, flash_units in await session.execute(statement):
        rows[row.id] = row
        if account_id is not None:
            uses[account_id][row.id] = used
            units[account_id][row.id] = flash_units
    return ActivePromotions(
        rows=rows,
        rules={id: rule_of(row) for id, row in rows.items()},
        buyers={account_id: BuyerFacts(uses[account_id], units[account_id]) for account_id in uses},
    )


def is_running_at(now: datetime) -> ColumnElement[bool]:
    """The condition that a promotion has started and has not ended."""
    return and_(
        or_(Promotion.starts_at.is_(None), Promotion.starts_at <= now),
        or_(Promotion.ends_at.is_(None), Promotion.ends_at > now),
    )
