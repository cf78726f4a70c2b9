"""Bonuses of refunds into store credit: refunds against tickets, movements and postings."""

from sqlalchemy import BigInteger, String, Subquery, and_, case, cast, func, literal, select, union_all

from domain.audit.comparison import select_rows, sum_by, total_of
from domain.payment.bonus import BASIS_POINTS
from models import (
    LedgerAccount,
    LedgerEntry,
    Order,
    Payment,
    PaymentMethod,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
    RefundTarget,
    StoreCreditKind,
    StoreCreditMovement,
    Ticket,
)
from models.sql.types import AnyExpression, AnySelect

OF_CREDIT = LedgerEntry.account == LedgerAccount.STORE_CREDIT


def find_wrong_bonuses() -> AnySelect:
    """Refunds that have brought another bonus than they were to bring, and bonuses without a refund."""
    came = StoreCreditMovement
    is_paid = and_(Refund.status == RefundStatus.SUCCEEDED, Refund.target == RefundTarget.STORE_CREDIT)
    due = case((is_paid, Refund.bonus_amount), else_=0)
    found = func.coalesce(came.amount, 0)
    of_refund = and_(came.bonus_refund_id == Refund.id, came.kind == StoreCreditKind.BONUS)
    wrong = select_rows(Refund.reference, expected=due, found=found).outerjoin(came, of_refund)
    row = literal("movement ") + cast(came.id, String)
    orphans = (
        select_rows(row, expected=literal(0), found=came.amount)
        .outerjoin(Refund, Refund.id == came.bonus_refund_id)
        .where(came.bonus_refund_id.is_not(None), Refund.id.is_(None))
    )
    return select(union_all(wrong.where(due != found), orphans).subquery())


def find_wrong_revoked_bonuses() -> AnySelect:
    """Refunds of which more was taken back than came with them."""
    came = sum_bonuses(StoreCreditKind.BONUS)
    revoked = sum_bonuses(StoreCreditKind.BONUS_REVOKED)
    return (
        select_rows(Refund.reference, expected=total_of(came), found=-revoked.c.total)
        .join(revoked, revoked.c.bonus_refund_id == Refund.id)
        .outerjoin(came, came.c.bonus_refund_id == Refund.id)
        .where(total_of(came) + revoked.c.total < 0)
    )


def sum_bonuses(kind: StoreCreditKind) -> Subquery:
    """Movements of a kind, by their refund."""
    moved = StoreCreditMovement
    return sum_by(moved.bonus_refund_id, moved.amount, moved.kind == kind)


def find_wrong_bonus_postings() -> AnySelect:
    """Refunds of which another bonus was posted, granted or taken back, than was moved."""
    rows = [
        select_wrong_postings(StoreCreditKind.BONUS, PostingKind.BONUS_GRANTED, "bonus:"),
        select_wrong_postings(StoreCreditKind.BONUS_REVOKED, PostingKind.BONUS_REVOKED, "bonus-revoked:"),
    ]
    return select(union_all(*rows).subquery())


def select_wrong_postings(kind: StoreCreditKind, posted_as: PostingKind, prefix: str) -> AnySelect:
    """Movements of a kind and postings of another that do not go together, by the key of the posting."""
    key = literal(prefix).concat(Refund.reference)
    moved = (
        select(key.label("key"), func.sum(StoreCreditMovement.amount).label("total"))
        .join(Refund, Refund.id == StoreCreditMovement.bonus_refund_id)
        .where(StoreCreditMovement.kind == kind)
        .group_by(Refund.reference)
        .subquery()
    )
    posted = (
        select(Posting.key, func.sum(-LedgerEntry.amount).label("total"))
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(Posting.kind == posted_as, OF_CREDIT)
        .group_by(Posting.key)
        .subquery()
    )
    unlike: AnySelect = select_rows(moved.c.key, expected=moved.c.total, found=total_of(posted)).outerjoin(
        posted, posted.c.key == moved.c.key
    )
    unmoved = select_rows(posted.c.key, expected=literal(0), found=posted.c.total).outerjoin(
        moved, moved.c.key == posted.c.key
    )
    wrong = [unlike.where(moved.c.total != total_of(posted)), unmoved.where(moved.c.key.is_(None))]
    return select(union_all(*wrong).subquery())


def find_excessive_bonuses() -> AnySelect:
    """Tickets whose refunds bring more than was fixed when store credit was chosen, and refunds that may
    bring none."""
    earned, given = earned_by_tickets(), func.coalesce(func.sum(Refund.bonus_amount), 0)
    may_earn = and_(
        Refund.target == RefundTarget.STORE_CREDIT,
        Payment.method != PaymentMethod.STORE_CREDIT,
        Refund.ticket_id.is_not(None),
    )
    unearned = (
        select_rows(Refund.reference, expected=literal(0), found=Refund.bonus_amount)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.bonus_amount > 0, ~may_earn)
    )
    # Each was rounded together with those before it, of which some went elsewhere later.
    elsewhere = func.count(case((Refund.target != RefundTarget.STORE_CREDIT, Refund.id)))
    allowed = cast(earned, BigInteger) * Ticket.bonus_basis_points // BASIS_POINTS + elsewhere
    most = case((allowed < Ticket.bonus_cap_amount, allowed), else_=Ticket.bonus_cap_amount)
    by_ticket = (
        select_rows(Ticket.number, expected=most, found=given)
        .join(Refund, Refund.ticket_id == Ticket.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .group_by(Ticket.id)
    )
    beyond = by_ticket.having(given > most)
    return select(union_all(unearned, beyond).subquery())


def find_wrong_ticket_bonuses() -> AnySelect:
    """Tickets that say another bonus than comes with their refunds."""
    given = func.sum(Refund.bonus_amount)
    return (
        select_rows(Ticket.number, expected=given, found=Ticket.bonus_amount)
        .join(Refund, Refund.ticket_id == Ticket.id)
        .group_by(Ticket.id)
        .having(given != Ticket.bonus_amount)
    )


def earned_by_tickets() -> AnyExpression:
    """What of the refunds of a ticket goes into store credit, and was not paid with it."""
    earns = and_(Payment.method != PaymentMethod.STORE_CREDIT, Refund.target == RefundTarget.STORE_CREDIT)
    return func.coalesce(func.sum(case((earns, Refund.amount), else_=0)), 0)


def find_excessive_order_bonuses() -> AnySelect:
    """Orders whose tickets bring more together than the cap that was fixed for one of them."""
    given = sum_by(Refund.order_id, Refund.bonus_amount, Refund.bonus_amount > 0)
    most = func.max(Ticket.bonus_cap_amount)
    caps = select(Ticket.order_id, most.label("total")).group_by(Ticket.order_id).subquery()
    return (
        select_rows(Order.number, expected=total_of(caps), found=given.c.total)
        .join(given, given.c.order_id == Order.id)
        .outerjoin(caps, caps.c.order_id == Order.id)
        .where(given.c.total > total_of(caps))
    )
