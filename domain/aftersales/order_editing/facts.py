"""What decides about an edit, read under the lock of its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import count_other_claims, load_order_lines, load_other_claims
from domain.aftersales.order_editing.changes import OrderChanges
from domain.aftersales.rules import LineUnits
from domain.aftersales.sent_units import load_sent_units
from domain.aftersales.withdrawal import SendingPlan, load_sending_plan
from domain.errors import WrongState
from domain.order.allocation import AllocatedUnits
from domain.order.basket import VariantStock, read_variant_stock
from domain.order.open_parts import check_no_open_ticket
from domain.promotion import count_used, load_rule
from domain.promotion.engine import BuyerFacts, PromotionRule
from domain.promotion.mapping import rule_of
from domain.shipping import Tariff, load_tariff
from domain.state import status_text
from models import (
    Account,
    ClaimTerms,
    Money,
    Order,
    OrderLine,
    OrderPromotionRules,
    OrderStatus,
    Promotion,
    PromotionBuyer,
    PromotionUse,
    Role,
    Warehouse,
    select_exclusions,
)

EDITABLE = frozenset({OrderStatus.PENDING, OrderStatus.CONFIRMED})


@dataclass(frozen=True, slots=True)
class KeptLine:
    """An order line with its units that were neither cancelled nor returned, and what they cost."""

    line: OrderLine
    units: int
    amount: int
    """In minor units, after all discounts."""


@dataclass(frozen=True, slots=True)
class PromotionFacts:
    """The rules that an edit is priced with."""

    stored: Sequence[PromotionRule]
    """Those in force when the order was placed, with what others have used of them."""
    added: Mapping[str, PromotionRule]
    """Those of the added codes, as they are today."""
    uses: Sequence[PromotionUse]
    buyer: BuyerFacts
    """What the buyer has used in other orders."""
    is_complete: bool
    """Whether the rules were stored; else the order keeps its discounts by proportion."""


@dataclass(frozen=True, slots=True)
class EditFacts:
    """An order as it is, and all that an edit needs."""

    order: Order
    kept: Mapping[int, KeptLine]
    """By order line id."""
    sending: SendingPlan
    variants: Mapping[int, VariantStock]
    """By variant id, those of the lines and those to be added."""
    warehouses: Sequence[Warehouse]
    tariff: Tariff
    promotions: PromotionFacts
    terms: ClaimTerms
    """What cannot be returned, which its buyer confirms when ordering."""
    last_position: int


@dataclass(frozen=True, slots=True)
class AddedUnits:
    """Units of a variant that are added, and where they come from and go."""

    variant: VariantStock
    sources: Sequence[tuple[int, AllocatedUnits]]
    """By delivery id."""

    @property
    def quantity(self) -> int:
        return sum(part.quantity for _, part in self.sources)

    @property
    def unit_price(self) -> Money:
        """Today's price of a variant that is known to be for sale."""
        if self.variant.sellable.unit_price is None:
            raise ValueError(f"{self.variant.sellable.name} has no price")
        return self.variant.sellable.unit_price


async def load_edit_facts(
    session: AsyncSession, order: Order, changes: OrderChanges, *, now: datetime
) -> EditFacts:
    """All facts about an order; WrongState where it cannot be edited at all."""
    if order.status not in EDITABLE:
        raise WrongState("This order is {status}.", status=status_text(order.status), field=("id",))
    lines = await load_order_lines(session, order)
    units = {line.id: LineUnits(bought=line.quantity - line.cancelled) for line in lines.values()}
    if not changes.only_addresses:
        await check_no_open_ticket(session, order)
    sent = await load_sent_units(session, order)
    count_other_claims(await load_other_claims(session, order, ticket_id=None), units, sent)
    variant_ids = {line.variant_id for line in lines.values()}
    variant_ids |= {each.variant_id for each in changes.additions}
    variant_ids |= {each.variant_id for each in changes.lines if each.variant_id is not None}
    stock = await read_variant_stock(session, {(id, order.currency) for id in variant_ids})
    warehouses = {id: each for found in stock.values() for id, each in found.warehouses.items()}
    return EditFacts(
        order=order,
        kept={line.id: kept_line_of(line, units[line.id]) for line in lines.values()},
        sending=await load_sending_plan(session, order),
        variants={variant_id: found for (variant_id, _), found in stock.items()},
        warehouses=list(warehouses.values()),
        tariff=await load_tariff(session, {order.currency}),
        promotions=await load_promotion_facts(session, order, changes, now=now),
        terms=ClaimTerms.of(await session.scalars(select_exclusions())),
        last_position=max((line.position for line in lines.values()), default=0),
    )


def kept_line_of(line: OrderLine, units: LineUnits) -> KeptLine:
    """What was refunded in goodwill is not the line's: its units cost what they were sold for, at most."""
    kept = units.bought - units.refunded
    amount = line.total.minor - line.cancelled_amount - units.refunded_amount
    return KeptLine(line, kept, max(0, min(amount, line.unit_amount * kept)))


async def load_promotion_facts(
    session: AsyncSession, order: Order, changes: OrderChanges, *, now: datetime
) -> PromotionFacts:
    kept = await session.scalar(
        select(OrderPromotionRules.rules).where(OrderPromotionRules.order_id == order.id)
    )
    found = await session.scalars(
        select(PromotionUse)
        .where(PromotionUse.order_id == order.id)
        .order_by(PromotionUse.position)
        .execution_options(populate_existing=True)
    )
    uses = found.all()
    stored = [load_rule(each) for each in kept or ()]
    ids = {rule.id for rule in stored}
    rows = await session.scalars(
        select(Promotion)
        .where(
            Promotion.id.in_(ids) | (Promotion.code.in_(changes.add_codes) & Promotion.archived_at.is_(None))
        )
        .execution_options(populate_existing=True)
    )
    promotions = {row.id: row for row in rows}
    own = {use.promotion_id: use for use in uses if use.released_at is None}
    return PromotionFacts(
        stored=[
            with_uses_of_others(rule, promotions[rule.id], own.get(rule.id), now)
            for rule in stored
            if rule.id in promotions
        ],
        added={
            row.code: rule_of(row)
            for row in promotions.values()
            if row.code in changes.add_codes and row.code
        },
        uses=uses,
        buyer=await load_buyer_facts(session, order, set(promotions), own),
        is_complete=kept is not None or not uses,
    )


def with_uses_of_others(
    rule: PromotionRule, row: Promotion, own: PromotionUse | None, now: datetime
) -> PromotionRule:
    """A stored rule with what is left for this order; of a flash sale that is over, what it has already."""
    own_units = own.flash_units if own else 0
    runs = row.archived_at is None and (row.ends_at is None or now < row.ends_at)
    left = own_units + ((row.left or 0) if runs else 0)
    return count_used(rule, used=max(0, row.used - (1 if own else 0)), flash_units_left=left)


async def load_buyer_facts(
    session: AsyncSession, order: Order, promotion_ids: set[int], own: Mapping[int, PromotionUse]
) -> BuyerFacts:
    rows = await session.scalars(
        select(PromotionBuyer)
        .where(PromotionBuyer.account_id == order.account_id, PromotionBuyer.promotion_id.in_(promotion_ids))
        .execution_options(populate_existing=True)
    )
    buyers = rows.all()
    role = await session.scalar(select(Account.role).where(Account.id == order.account_id))
    return BuyerFacts(
        has_account=role is not Role.GUEST_BUYER,
        uses={row.promotion_id: row.uses - (1 if row.promotion_id in own else 0) for row in buyers},
        flash_units={
            row.promotion_id: row.flash_units
            - (own[row.promotion_id].flash_units if row.promotion_id in own else 0)
            for row in buyers
        },
    )
