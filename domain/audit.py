"""Do all books agree? Every rule is one statement over whole tables; what comes back is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, Subquery, and_, case, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ledger import TAKEN, payment_status
from models import (
    Delivery,
    DeliveryLine,
    Event,
    LedgerAccount,
    LedgerEntry,
    Offer,
    OfferUse,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
    Shipment,
    ShipmentLine,
    StockLevel,
    StockMovement,
    Subject,
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two numbers that must be the same and are not."""

    rule: str
    what: str
    kept: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: {self.rule}: {self.kept} is kept, {self.found} is found"


async def audit(session: AsyncSession) -> list[Disagreement]:
    """Everything that does not agree; an empty list is a sound shop."""
    wrong = []
    for rule, statement in RULES.items():
        for what, kept, found in await session.execute(statement()):
            wrong.append(Disagreement(rule, str(what), str(kept), str(found)))
    return wrong + await statuses(session)


def unbalanced() -> Select[Any]:
    """Debit and credit of a posting are the same, in one currency."""
    total = func.sum(LedgerEntry.amount)
    return (
        three(Posting.key, literal(0), total)
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id, isouter=True)
        .group_by(Posting.id, Posting.key)
        .having(or_(func.coalesce(total, -1) != 0, func.count(LedgerEntry.currency.distinct()) != 1))
    )


def wrongly_captured() -> Select[Any]:
    """What a payment says it has taken is what was posted for it."""
    taken = posted(TAKEN)
    return differing(Payment.reference, Payment.captured_amount, -total_of(taken)).outerjoin(
        taken, taken.c.payment_id == Payment.id
    )


def wrongly_promised() -> Select[Any]:
    """What a payment says goes back is the sum of its refunds."""
    refunds = summed(Refund.payment_id, Refund.amount)
    return differing(Payment.reference, Payment.refunded_amount, total_of(refunds)).outerjoin(
        refunds, refunds.c.payment_id == Payment.id
    )


def wrongly_refunded() -> Select[Any]:
    """What went back over a payment is what was posted for it."""
    refunds = summed(Refund.payment_id, Refund.amount, Refund.status == RefundStatus.SUCCEEDED)
    returned = posted((PostingKind.REFUNDED,))
    return (
        differing(Payment.reference, total_of(refunds), total_of(returned))
        .outerjoin(refunds, refunds.c.payment_id == Payment.id)
        .outerjoin(returned, returned.c.payment_id == Payment.id)
    )


def wrong_goods() -> Select[Any]:
    """An order's goods are its lines."""
    lines = summed(OrderLine.order_id, OrderLine.unit_amount * OrderLine.quantity)
    return differing(Order.number, Order.goods_amount, total_of(lines)).outerjoin(
        lines, lines.c.order_id == Order.id
    )


def wrong_discount() -> Select[Any]:
    """An order's discount is that of its lines."""
    lines = summed(OrderLine.order_id, OrderLine.discount_amount)
    return differing(Order.number, Order.discount_amount, total_of(lines)).outerjoin(
        lines, lines.c.order_id == Order.id
    )


def wrong_shipping() -> Select[Any]:
    """An order's shipping is the fees of its deliveries after their discounts."""
    fees = summed(Delivery.order_id, Delivery.fee_amount - Delivery.discount_amount)
    return differing(Order.number, Order.shipping_amount, total_of(fees)).outerjoin(
        fees, fees.c.order_id == Order.id
    )


def wrong_payments() -> Select[Any]:
    """An order's total is its payments."""
    payments = summed(Payment.order_id, Payment.amount)
    return differing(Order.number, Order.total_amount, total_of(payments)).outerjoin(
        payments, payments.c.order_id == Order.id
    )


def wrong_invoice() -> Select[Any]:
    """An order's total was invoiced, and what was cancelled before it was paid."""
    entries = (
        select(LedgerEntry.order_id, func.sum(LedgerEntry.amount).label("total"))
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(Posting.kind == PostingKind.INVOICED, LedgerEntry.account == LedgerAccount.CUSTOMER)
        .group_by(LedgerEntry.order_id)
        .subquery()
    )
    owed = Order.total_amount + Order.cancelled_amount
    return differing(Order.number, owed, total_of(entries)).outerjoin(entries, entries.c.order_id == Order.id)


def wrong_sales() -> Select[Any]:
    """What still counts as sold is the total less what goes back; of a cancelled order, nothing."""
    refunds = summed(Refund.order_id, Refund.amount)
    sales = (
        select(LedgerEntry.order_id, func.sum(-LedgerEntry.amount).label("total"))
        .where(LedgerEntry.account == LedgerAccount.SALES)
        .group_by(LedgerEntry.order_id)
        .subquery()
    )
    kept = case((Order.status == OrderStatus.CANCELLED, 0), else_=Order.total_amount - total_of(refunds))
    return (
        differing(Order.number, kept, total_of(sales))
        .outerjoin(refunds, refunds.c.order_id == Order.id)
        .outerjoin(sales, sales.c.order_id == Order.id)
    )


def wrong_cancellations() -> Select[Any]:
    """What was cancelled of lines and fees came off the total or went back."""
    lines = summed(OrderLine.order_id, OrderLine.cancelled_amount)
    refunds = summed(Refund.order_id, Refund.amount)
    cancelled = total_of(lines) + Order.cancelled_shipping_amount
    most = Order.cancelled_amount + total_of(refunds)
    return (
        three(Order.number, cancelled, most)
        .outerjoin(lines, lines.c.order_id == Order.id)
        .outerjoin(refunds, refunds.c.order_id == Order.id)
        .where(cancelled > most)
    )


def wrong_versions() -> Select[Any]:
    """An order's events are numbered from 1 to its version, without a gap."""
    last = func.max(Event.version)
    events = (
        select(
            Event.subject_id,
            last.label("total"),
            func.count().label("known"),
            func.min(Event.version).label("least"),
        )
        .where(Event.subject == Subject.ORDER)
        .group_by(Event.subject_id)
        .subquery()
    )
    whole = case((events.c.total - events.c.least + 1 == events.c.known, total_of(events)), else_=-1)
    return differing(Order.number, Order.version, whole).outerjoin(events, events.c.subject_id == Order.id)


def wrong_on_hand() -> Select[Any]:
    """What a warehouse has is the sum of its movements."""
    return levels_against(StockLevel.on_hand, StockMovement.on_hand)


def wrong_reserved() -> Select[Any]:
    """What a warehouse has set aside is the sum of its movements."""
    return levels_against(StockLevel.reserved, StockMovement.reserved)


def wrong_damaged() -> Select[Any]:
    """What a warehouse has damaged is the sum of its movements."""
    return levels_against(StockLevel.damaged, StockMovement.damaged)


def moved_nowhere() -> Select[Any]:
    """Where goods moved, there is a level."""
    where = literal("variant ") + cast(StockMovement.variant_id, String) + literal(" in warehouse ")
    same = and_(
        StockLevel.variant_id == StockMovement.variant_id,
        StockLevel.warehouse_id == StockMovement.warehouse_id,
    )
    return (
        three(where + cast(StockMovement.warehouse_id, String), literal(0), StockMovement.on_hand)
        .outerjoin(StockLevel, same)
        .where(StockLevel.variant_id.is_(None))
    )


def wrongly_reserved() -> Select[Any]:
    """What is set aside is what orders wait for."""
    sent = (
        select(ShipmentLine.delivery_line_id, func.sum(ShipmentLine.quantity).label("quantity"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.dispatched_at.is_not(None))
        .group_by(ShipmentLine.delivery_line_id)
        .subquery()
    )
    waiting = (
        select(
            OrderLine.variant_id,
            DeliveryLine.warehouse_id,
            func.sum(DeliveryLine.quantity - func.coalesce(sent.c.quantity, 0)).label("total"),
        )
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(sent, sent.c.delivery_line_id == DeliveryLine.id)
        .where(DeliveryLine.reserved, Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.variant_id, DeliveryLine.warehouse_id)
        .subquery()
    )
    same = and_(
        waiting.c.variant_id == StockLevel.variant_id, waiting.c.warehouse_id == StockLevel.warehouse_id
    )
    return differing(place(), StockLevel.reserved, total_of(waiting)).outerjoin(waiting, same)


def uses(amount: Any, key: Any) -> Subquery:
    """What orders that stand have of something, by offer or otherwise."""
    return summed(key, amount, OfferUse.released_at.is_(None))


def wrongly_used() -> Select[Any]:
    """Where an offer may be used only so often, every use is counted."""
    used = uses(literal(1), OfferUse.offer_id)
    return (
        differing(offer(), Offer.used, total_of(used))
        .outerjoin(used, used.c.offer_id == Offer.id)
        .where(Offer.usage_limit.is_not(None))
    )


def wrong_shares() -> Select[Any]:
    """What of a flash sale's share is sold is what orders have of it."""
    sold = uses(OfferUse.flash_units, OfferUse.offer_id)
    return (
        differing(offer(), Offer.sold, total_of(sold))
        .outerjoin(sold, sold.c.offer_id == Offer.id)
        .where(Offer.share.is_not(None))
    )


def offer() -> ColumnElement[str]:
    return literal("offer ") + cast(Offer.id, String)


RULES: Mapping[str, Callable[[], Select[Any]]] = {
    "a posting balances": unbalanced,
    "captured as posted": wrongly_captured,
    "refunds as promised": wrongly_promised,
    "refunded as posted": wrongly_refunded,
    "goods are the lines": wrong_goods,
    "discount is that of the lines": wrong_discount,
    "shipping is the fees": wrong_shipping,
    "total is the payments": wrong_payments,
    "total was invoiced": wrong_invoice,
    "sold is the total less what goes back": wrong_sales,
    "cancelled came off or went back": wrong_cancellations,
    "versions without a gap": wrong_versions,
    "on hand as moved": wrong_on_hand,
    "reserved as moved": wrong_reserved,
    "damaged as moved": wrong_damaged,
    "moved where there is a level": moved_nowhere,
    "reserved as ordered": wrongly_reserved,
    "offers used as counted": wrongly_used,
    "flash sales sold as counted": wrong_shares,
}


async def statuses(session: AsyncSession) -> list[Disagreement]:
    """An order's payment status is what its books say."""
    customer = LedgerEntry.account == LedgerAccount.CUSTOMER
    entries = (
        select(
            LedgerEntry.order_id,
            func.sum(case((Posting.kind.in_(TAKEN), -LedgerEntry.amount), else_=0)).label("taken"),
            func.sum(case((Posting.kind == PostingKind.REFUNDED, LedgerEntry.amount), else_=0)).label(
                "returned"
            ),
        )
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(customer)
        .group_by(LedgerEntry.order_id)
        .subquery()
    )
    rows = await session.stream(
        select(
            Order.number,
            Order.payment_status,
            Order.total_amount,
            func.coalesce(entries.c.taken, 0),
            func.coalesce(entries.c.returned, 0),
        ).outerjoin(entries, entries.c.order_id == Order.id)
    )
    wrong = []
    async for number, kept, total, taken, returned in rows:
        found = payment_status(total=total, taken=int(taken), returned=int(returned))
        if kept is not found:
            wrong.append(Disagreement("payment status as the books say", number, kept, found))
    return wrong


def differing(what: Any, kept: Any, found: Any) -> Select[Any]:
    return three(what, kept, found).where(kept != found)


def three(what: Any, kept: Any, found: Any) -> Select[Any]:
    return select(what, kept, found)


def summed(key: Any, amount: Any, *which: ColumnElement[bool]) -> Subquery:
    """The sum of an amount by a key."""
    return select(key, func.sum(amount).label("total")).where(*which).group_by(key).subquery()


def total_of(sums: Subquery) -> ColumnElement[int]:
    return func.coalesce(sums.c.total, 0)


def posted(kinds: tuple[PostingKind, ...]) -> Subquery:
    """What postings of some kinds did to the customer's side, by payment."""
    return (
        select(Posting.payment_id, func.sum(LedgerEntry.amount).label("total"))
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(Posting.kind.in_(kinds), LedgerEntry.account == LedgerAccount.CUSTOMER)
        .group_by(Posting.payment_id)
        .subquery()
    )


def levels_against(kept: Any, moved: Any) -> Select[Any]:
    movements = (
        select(StockMovement.variant_id, StockMovement.warehouse_id, func.sum(moved).label("total"))
        .group_by(StockMovement.variant_id, StockMovement.warehouse_id)
        .subquery()
    )
    same = and_(
        movements.c.variant_id == StockLevel.variant_id, movements.c.warehouse_id == StockLevel.warehouse_id
    )
    return differing(place(), kept, total_of(movements)).outerjoin(movements, same)


def place() -> ColumnElement[str]:
    """A level as a person reads it."""
    variant, warehouse = cast(StockLevel.variant_id, String), cast(StockLevel.warehouse_id, String)
    return literal("variant ") + variant + literal(" in warehouse ") + warehouse
