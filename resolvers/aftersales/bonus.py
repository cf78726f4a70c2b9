"""What store credit brings in place of a refund, before it is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.aftersales.quote import TicketQuote
from domain.payment.bonus import bonus_on, sum_bonuses
from domain.store_credit import has_store_credit
from events.aftersales import bonus_terms_of
from models import Money, Order
from resolvers.context import Info


@dataclass(frozen=True, slots=True)
class TicketQuoteCredit:
    """A refund as it would come into store credit."""

    total: Money
    bonus: Money


async def quoted_credit(root: TicketQuote, info: Info) -> TicketQuoteCredit | None:
    """What would come into the customer's store credit instead, with what the shop adds; null where nothing
    comes back, and for guests, who have none."""
    if not root.refund.minor:
        return None
    left = await info.context.batch(find_left, info, {}).load(root.order)
    if left is None:
        return None
    terms = bonus_terms_of(info.context.shop.settings)
    bonus = min(bonus_on(root.earning_amount, terms.basis_points), left)
    return TicketQuoteCredit(root.order.money(root.refund.minor + bonus), root.order.money(bonus))


async def find_left(orders: Sequence[Order], info: Info) -> Sequence[int | None]:
    """What may still be added for each order, in minor units; None where its customer has no store credit."""
    terms = bonus_terms_of(info.context.shop.settings)
    left: list[int | None] = []
    async with info.context.shop.database.reads() as session:
        for order in orders:  # quotes that are asked for together are of one order
            cap = terms.cap_of(order.currency)
            if not await has_store_credit(session, order.account_id):
                left.append(None)
            else:
                left.append(max(0, cap - await sum_bonuses(session, order.id)) if cap else 0)
    return left
