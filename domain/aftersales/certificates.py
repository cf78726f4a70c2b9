"""What a member of the staff must have learned to handle a ticket."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Path
from domain.payment import unapproved_amount
from domain.training import GuardedTask, require_certificate
from models import Order, Ticket


async def require_certificate_for_ticket(
    session: AsyncSession, ticket: Ticket, account_id: int | None, *, cause: Cause, field: Path = ("id",)
) -> None:
    """Raise CertificateRequired where somebody may not handle tickets of this type; the shop itself may."""
    if account_id is not None:
        task = GuardedTask(ticket_type=ticket.type)
        await require_certificate(session, account_id, task, now=cause.now, field=field)


async def require_certificate_to_agree(
    session: AsyncSession, ticket: Ticket, order: Order, *, cause: Cause
) -> None:
    """The same for whoever agrees to a ticket, who also gives the refund it brings, and its bonus."""
    await require_certificate_for_ticket(session, ticket, cause.by, cause=cause)
    if cause.by is None or not ticket.refund_amount:
        return
    amount = ticket.refund_amount + ticket.bonus_amount + await unapproved_amount(session, order)
    task = GuardedTask(refund=order.money(amount))
    await require_certificate(session, cause.by, task, now=cause.now, field=("id",))
