"""What customers want in place of what they send back, and what it costs less or more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, NotForSale, NotFound, Path
from models import SOLD_STATUSES, Order, OrderLine, Price, Product, TicketLine, Variant
from text.messages import Localized


@dataclass(frozen=True, slots=True)
class SoldVariant:
    """A variant as it is sold now."""

    id: int
    product_id: int
    title: Localized
    requires_shipping: bool
    can_sell_out: bool
    price: int | None
    """In the currency of the order, in minor units; None where it is not sold in that."""


@dataclass(frozen=True, slots=True)
class SubstituteVariant:
    """What is wanted in place of the units of an order line."""

    variant_id: int
    reduction_amount: int
    """What one unit costs less than what was paid for the one that was ordered; negative: more."""
    title: Localized | None = None
    can_sell_out: bool = False
    """Whether there may be too few of it; False for what was wanted, and found, before."""


async def load_sold_variants(
    session: AsyncSession, order: Order, variant_ids: Iterable[int]
) -> Mapping[int, SoldVariant]:
    """Those of these variants that are sold, by id, with their prices in the currency of an order."""
    rows = await session.execute(
        select(Variant, Product.title, Product.translations, Price.amount)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Price, (Price.variant_id == Variant.id) & (Price.currency == order.currency))
        .where(Variant.id.in_(set(variant_ids)), Variant.archived_at.is_(None))
        .where(Product.status.in_(SOLD_STATUSES))
    )
    return {
        variant.id: SoldVariant(
            variant.id,
            variant.product_id,
            Localized.of(title, translations, "title"),
            variant.requires_shipping,
            variant.can_sell_out,
            price,
        )
        for variant, title, translations, price in rows
    }


def price_substitute(
    variants: Mapping[int, SoldVariant], variant_id: int, line: OrderLine, *, field: Path
) -> SubstituteVariant:
    """A variant in place of units of an order line; refused where it is not sold.

    It goes by the delivery of what it replaces, so that it needs shipping where that did, and only there.
    """
    variant = variants.get(variant_id)
    if variant_id == line.variant_id:
        if variant is None:  # nothing of it is left for those who had something else
            return SubstituteVariant(variant_id, 0, can_sell_out=True)
        return SubstituteVariant(variant_id, 0, variant.title, variant.can_sell_out)
    if variant is None:
        raise NotFound("variant", field=field)
    if variant.requires_shipping != line.requires_shipping:
        raise Invalid("Choose a variant that is sent as the one that was bought.", field=field)
    if variant.price is None:
        raise NotForSale(
            "{title} is not sold in {currency}.",
            title=variant.title,
            currency=line.currency.value,
            field=field,
        )
    ordered = variants.get(line.variant_id)
    reduction = reduction_for(line, variant, variant.price, ordered)
    return SubstituteVariant(variant_id, reduction, variant.title, variant.can_sell_out)


def reduction_for(line: OrderLine, variant: SoldVariant, price: int, ordered: SoldVariant | None) -> int:
    """What one unit of a variant costs less than what was paid for one that was ordered; negative: more.

    Another variant of the product at the same price costs the same, whatever both cost when it was ordered.
    What is dearer costs as much more as its price is above the one that was agreed: the discount stays. What
    is cheaper keeps the discount in proportion, so that never more comes back than was paid.
    """
    is_same = ordered is not None and ordered.product_id == variant.product_id
    if is_same and ordered is not None and ordered.price == price:
        return 0
    if price >= line.unit_amount:
        return line.unit_amount - price
    paid = paid_for_unit(line)
    return paid - -(-price * paid // line.unit_amount)


def paid_for_unit(line: OrderLine) -> int:
    """What was paid for one unit of a line after its discount, without the cents that do not divide."""
    units = line.quantity - line.cancelled
    if not units:
        return 0
    return max(0, min(line.unit_amount, (line.total.minor - line.cancelled_amount) // units))


@dataclass(frozen=True, slots=True)
class SubstituteFacts:
    """What decides about what a claim names instead."""

    variants: Mapping[int, SoldVariant] = field(default_factory=dict)
    """The variants named and ordered, as far as they are sold."""
    available: Mapping[int, int] = field(default_factory=dict)
    """How many units of those named can be sold; without those that are always sold."""
    kept: Mapping[int, SubstituteVariant] = field(default_factory=dict)
    """What the ticket has named before, by order line: its price stays."""

    def price(self, variant_id: int, line: OrderLine, *, field: Path) -> SubstituteVariant:
        """A variant in place of units of an order line; refused where it is not sold."""
        kept = self.kept.get(line.id)
        if kept is not None and kept.variant_id == variant_id:
            return kept
        return price_substitute(self.variants, variant_id, line, field=field)


async def load_kept_substitutes(
    session: AsyncSession, ticket_ids: Sequence[int]
) -> Mapping[int, SubstituteVariant]:
    """What the lines of tickets name instead, by order line; of several that of the last ticket counts."""
    if not ticket_ids:
        return {}
    rows = await session.scalars(
        select(TicketLine).where(
            TicketLine.ticket_id.in_(ticket_ids), TicketLine.substitute_variant_id.is_not(None)
        )
    )
    return {
        row.order_line_id: SubstituteVariant(row.substitute_variant_id or 0, row.substitute_reduction_amount)
        for row in sorted(rows, key=lambda row: ticket_ids.index(row.ticket_id))
    }


async def set_substitute(
    session: AsyncSession,
    order: Order,
    lines: Sequence[tuple[TicketLine, OrderLine]],
    variant_id: int,
    *,
    field: Path,
) -> None:
    """Note that a variant is wanted in place of the units of these lines, at its price now."""
    ids = {variant_id} | {line.variant_id for _, line in lines}
    variants = await load_sold_variants(session, order, ids)
    for ticket_line, line in lines:
        substitute = price_substitute(variants, variant_id, line, field=field)
        ticket_line.substitute_variant_id = substitute.variant_id
        ticket_line.substitute_reduction_amount = substitute.reduction_amount


def drop_substitutes(lines: Iterable[TicketLine]) -> None:
    """What is owed is again what was bought."""
    for line in lines:
        line.substitute_variant_id, line.substitute_reduction_amount = None, 0
