"""Cash in couriers' hands against the ledger, the parcels they have brought, and what was counted."""

from sqlalchemy import String, and_, case, cast, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from domain.audit.comparison import select_differences, select_rows, sum_by, total_of
from models import (
    CashHandIn,
    CourierCashMovement,
    DeliveryRun,
    DeliveryRunStop,
    LedgerAccount,
    LedgerEntry,
    Order,
    Posting,
    Shipment,
)
from models.sql.types import AnyColumn, AnyExpression, AnySelect

IS_CASH = LedgerEntry.account == LedgerAccount.CASH


def find_wrong_movements() -> AnySelect:
    """Movements of cash in hand that are not what their posting moves into or out of couriers' hands."""
    posted = sum_by(LedgerEntry.posting_id, LedgerEntry.amount, IS_CASH)
    currency = select(func.min(LedgerEntry.currency)).where(
        LedgerEntry.posting_id == CourierCashMovement.posting_id, IS_CASH
    )
    return (
        select_rows(Posting.key, expected=total_of(posted), found=CourierCashMovement.amount)
        .select_from(CourierCashMovement)
        .join(Posting, Posting.id == CourierCashMovement.posting_id)
        .outerjoin(posted, posted.c.posting_id == CourierCashMovement.posting_id)
        .where(
            or_(
                total_of(posted) != CourierCashMovement.amount,
                currency.scalar_subquery() != CourierCashMovement.currency,
            )
        )
    )


def find_cash_of_nobody() -> AnySelect:
    """Cash that the ledger has in couriers' hands without a movement of one, by order or without one."""
    is_unmoved = ~exists().where(CourierCashMovement.posting_id == LedgerEntry.posting_id)
    of_orders = sum_by(LedgerEntry.order_id, LedgerEntry.amount, IS_CASH, is_unmoved)
    orders = select_rows(Order.number, expected=literal(0), found=of_orders.c.total).join(
        of_orders, of_orders.c.order_id == Order.id
    )
    others = (
        select_rows(Posting.key, expected=literal(0), found=LedgerEntry.amount)
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(IS_CASH, LedgerEntry.order_id.is_(None), is_unmoved)
    )
    return select(union_all(orders.where(of_orders.c.total != 0), others).subquery())


def find_cash_of_others() -> AnySelect:
    """Cash of an order in the hands of a courier on whose run nothing of it was."""
    brought = (
        exists()
        .where(DeliveryRunStop.delivery_run_id == CourierCashMovement.delivery_run_id)
        .where(Shipment.id == DeliveryRunStop.shipment_id, Shipment.order_id == Posting.order_id)
    )
    return (
        select_rows(
            Posting.key,
            expected=literal("a run with a parcel of its order"),
            found=name_of_run(CourierCashMovement.delivery_run_id),
        )
        .join(CourierCashMovement, CourierCashMovement.posting_id == Posting.id)
        .where(Posting.order_id.is_not(None), ~brought)
    )


def find_wrong_holdings() -> AnySelect:
    """Delivery runs that are said to have cash in hand and have none, or the other way round."""
    movement = CourierCashMovement
    in_hand = (
        select(movement.delivery_run_id, movement.currency)
        .group_by(movement.delivery_run_id, movement.currency)
        .having(func.sum(movement.amount) != 0)
        .subquery()
    )
    holds = case((exists().where(in_hand.c.delivery_run_id == DeliveryRun.id), 1), else_=0)
    noted = case((DeliveryRun.cash_held_since.is_not(None), 1), else_=0)
    return select_differences(name_of_run(DeliveryRun.id), expected=holds, found=noted)


def find_wrong_counts() -> AnySelect:
    """Counts of cash after which another amount is in the till, or was booked out of the courier's hands."""
    former = aliased(CashHandIn)
    hand_in = CashHandIn
    before = func.coalesce(former.counted_amount, 0)
    in_till = hand_in.counted_amount - before
    out_of_hand = case((hand_in.corrects_id.is_(None), hand_in.expected_amount), else_=0)
    difference = case(
        (hand_in.corrects_id.is_(None), hand_in.expected_amount - hand_in.counted_amount),
        else_=before - hand_in.counted_amount,
    )
    moved = sum_by(CourierCashMovement.hand_in_id, -CourierCashMovement.amount)
    till, differences = (
        sum_of_count(account) for account in (LedgerAccount.TILL, LedgerAccount.CASH_DIFFERENCES)
    )
    rows = [
        select_rows(name_of_count(), expected=expected, found=found)
        .outerjoin(former, former.id == hand_in.corrects_id)
        .outerjoin(moved, moved.c.hand_in_id == hand_in.id)
        .where(expected != found)
        for expected, found in ((in_till, till), (out_of_hand, total_of(moved)), (difference, differences))
    ]
    return select(union_all(*rows).subquery())


def sum_of_count(account: LedgerAccount) -> AnyExpression:
    """What the postings of a count have brought into an account."""
    return (
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(CourierCashMovement, CourierCashMovement.posting_id == LedgerEntry.posting_id)
        .where(CourierCashMovement.hand_in_id == CashHandIn.id, LedgerEntry.account == account)
        .correlate(CashHandIn)
        .scalar_subquery()
    )


def find_wrong_corrections() -> AnySelect:
    """Corrections of a count that are of another run, currency or amount collected than what they replace."""
    former, hand_in = aliased(CashHandIn), CashHandIn
    same = and_(
        former.delivery_run_id == hand_in.delivery_run_id,
        former.currency == hand_in.currency,
        former.expected_amount == hand_in.expected_amount,
    )
    return (
        select_rows(name_of_count(), expected=former.expected_amount, found=hand_in.expected_amount)
        .join(former, former.id == hand_in.corrects_id)
        .where(~same)
    )


def find_wrong_differences() -> AnySelect:
    """Counts of which another difference was written off than was accepted, or resolved by nobody."""
    hand_in, later = CashHandIn, aliased(CashHandIn)
    difference = hand_in.counted_amount - hand_in.expected_amount
    is_corrected = exists().where(later.corrects_id == hand_in.id)
    is_accepted = and_(hand_in.resolved_at.is_not(None), ~is_corrected)
    keys = [
        literal("cash difference:").concat(cast(hand_in.id, String)).concat(f":{key}")
        for key in ("accepted", "reversed")
    ]
    written_off = (
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(Posting.key.in_(keys), LedgerEntry.account == LedgerAccount.CASH_DIFFERENCES)
        .correlate(hand_in)
        .scalar_subquery()
    )
    expected = case((is_accepted, difference), else_=0)
    is_unexplained = and_(difference != 0, hand_in.resolved_at.is_not(None), hand_in.resolved_by.is_(None))
    is_forgotten = and_(difference == 0, hand_in.resolved_at.is_(None))
    return select_rows(name_of_count(), expected=expected, found=written_off).where(
        or_(expected != written_off, is_unexplained, is_forgotten)
    )


def name_of_count() -> AnyExpression:
    return literal("count ").concat(cast(CashHandIn.id, String))


def name_of_run(run_id: AnyColumn) -> AnyExpression:
    return literal("delivery run ").concat(cast(run_id, String))
