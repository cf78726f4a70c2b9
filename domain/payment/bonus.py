"""Bonuses: what the shop adds in store credit to refunds of tickets that go there instead of back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from models import CurrencyCode, Payment, PaymentMethod, Refund, RefundTarget, Ticket, TicketStatus

BASIS_POINTS = 10_000
"""The whole, in basis points."""

UNPROMISED = (
    TicketStatus.REFUSED,
    TicketStatus.RETURN_REFUSED,
    TicketStatus.REJECTED,
    TicketStatus.CANCELLED,
    TicketStatus.COMPLETED,
)
"""A ticket in one of these is promised nothing more than what has come with its refunds."""


@dataclass(frozen=True, slots=True)
class BonusTerms:
    """What the shop adds now to refunds that customers have go into store credit."""

    basis_points: int = 0
    caps: Mapping[CurrencyCode, int] = field(default_factory=dict)
    """The most for all tickets of an order, in minor units; nothing is added in other currencies."""

    def cap_of(self, currency: CurrencyCode) -> int:
        return self.caps.get(currency, 0) if self.basis_points else 0


NO_BONUS = BonusTerms()


@dataclass(frozen=True, slots=True)
class EarnedBonus:
    """What was refunded for a ticket so far and earns a bonus, and the bonus that came with it."""

    amount: int
    bonus: int


def bonus_on(amount: int, basis_points: int) -> int:
    """What is added to an amount, in minor units, rounded down."""
    return amount * basis_points // BASIS_POINTS


def earns_bonus(payment: Payment) -> bool:
    """Whether the refund of a payment does: what was paid with store credit comes back as it was."""
    return not payment.method.paid_when_placed


def most_bonus(ticket: Ticket, refund: int) -> int:
    """At most so much is added to a refund of so many minor units of a ticket."""
    bonus = min(bonus_on(refund, ticket.bonus_basis_points), ticket.bonus_cap_amount)
    return max(ticket.bonus_amount, bonus)


async def promise_bonus(session: AsyncSession, ticket: Ticket, earning: int) -> None:
    """Promise what comes with the refund of a locked ticket, of which so many minor units earn a bonus."""
    if ticket.bonus_basis_points:
        left = await bonus_left(session, ticket)
        ticket.bonus_amount = min(left, bonus_on(earning, ticket.bonus_basis_points))


def forget_bonus(ticket: Ticket) -> None:
    """Promise nothing to a ticket any more."""
    ticket.bonus_basis_points = ticket.bonus_cap_amount = ticket.bonus_amount = 0


async def plan_bonuses(
    session: AsyncSession,
    parts: Sequence[tuple[Payment, int]],
    *,
    ticket_id: int | None,
    target: RefundTarget,
) -> Sequence[int]:
    """What is added to each of these refunds of a locked order, (payment, minor units).

    It is rounded down once for all that a ticket brings back, and is noted as that of the ticket.
    """
    nothing = [0] * len(parts)
    if ticket_id is None or target is not RefundTarget.STORE_CREDIT:
        return nothing
    ticket = await session.get_one(Ticket, ticket_id)
    if not ticket.bonus_basis_points:
        return nothing
    earned = await sum_earned(session, ticket)
    left = await bonus_left(session, ticket)
    amount, given, bonuses = earned.amount, earned.bonus, []
    for payment, share in parts:
        before = bonus_on(amount, ticket.bonus_basis_points)
        amount += share if earns_bonus(payment) else 0
        more = bonus_on(amount, ticket.bonus_basis_points) - before
        bonuses.append(max(0, min(more, left - given, share)))
        given += bonuses[-1]
    ticket.bonus_amount = given
    return bonuses


async def sum_earned(session: AsyncSession, ticket: Ticket) -> EarnedBonus:
    """What the refunds of a ticket have earned so far: none by those that went elsewhere."""
    row = (
        await session.execute(
            select(func.coalesce(func.sum(Refund.amount), 0), func.coalesce(func.sum(Refund.bonus_amount), 0))
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Refund.ticket_id == ticket.id, Refund.target == RefundTarget.STORE_CREDIT)
            .where(Payment.method != PaymentMethod.STORE_CREDIT)
        )
    ).one()
    return EarnedBonus(int(row[0]), int(row[1]))


async def bonus_left(session: AsyncSession, ticket: Ticket) -> int:
    """What the cap leaves for a ticket: who splits an order into tickets gets no more than with one."""
    if ticket.order_id is None:
        return 0
    others = await sum_bonuses(session, ticket.order_id, but=ticket.id)
    return max(0, ticket.bonus_cap_amount - others)


async def sum_bonuses(session: AsyncSession, order_id: int, *, but: int | None = None) -> int:
    """What was added for the tickets of an order, or is promised to them, in minor units.

    but: the id of a ticket that does not count
    """
    given = func.coalesce(func.sum(Refund.bonus_amount), 0)
    rows = await session.execute(
        select(Ticket.status, Ticket.bonus_amount, given)
        .outerjoin(Refund, Refund.ticket_id == Ticket.id)
        .where(Ticket.order_id == order_id, Ticket.bonus_basis_points > 0)
        .where(true() if but is None else Ticket.id != but)
        .group_by(Ticket.id)
    )
    return sum(
        int(came) if status in UNPROMISED else max(promised, int(came)) for status, promised, came in rows
    )


async def withdraw_bonus(session: AsyncSession, refund: Refund) -> None:
    """Add nothing to a refund any more that goes elsewhere than into store credit."""
    if refund.bonus_amount and refund.ticket_id is not None:
        ticket = await session.get_one(Ticket, refund.ticket_id)
        ticket.bonus_amount -= refund.bonus_amount
    refund.bonus_amount = 0


async def reduce_bonus(session: AsyncSession, refund: Refund) -> None:
    """Add no more to a refund, of which a part came another way, than what is left of it earns."""
    if refund.bonus_amount and refund.ticket_id is not None:
        ticket = await session.get_one(Ticket, refund.ticket_id)
        kept = min(refund.bonus_amount, bonus_on(refund.amount, ticket.bonus_basis_points))
        ticket.bonus_amount -= refund.bonus_amount - kept
        refund.bonus_amount = kept
