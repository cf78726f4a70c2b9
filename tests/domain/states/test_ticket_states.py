"""What may happen to a ticket, in every state it can be in."""

from collections.abc import Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.answering import decide_ticket
from domain.aftersales.opening import Change, reapply_ticket
from domain.aftersales.settling import retry_refunds
from domain.aftersales.unattended import act_overdue
from events.shop import Shop
from models import Ticket, TicketReason, TicketType
from tests.domain.states.trying import (
    LATER,
    WAY,
    Act,
    agree,
    decide_no,
    drawn,
    escalate,
    goods_refused,
    goods_sent,
    goods_taken,
    not_refunded,
    refunded,
    refuse,
    tried,
    withdraw,
)
from tests.factories.aftersales import DEADLINES, create_ticket
from tests.factories.order import NOW


async def a_ticket(session: AsyncSession, state: str) -> Ticket:
    """A ticket brought to a state on the ordinary way: a return, or an exchange where it is sent again."""
    kind = TicketType.EXCHANGE if state == "RESHIPPING" else TicketType.RETURN_REFUND
    ticket = await create_ticket(session, type=kind)
    for step in WAY[state]:
        await step(session, ticket)
    return ticket


async def decide_yes(session: AsyncSession, ticket: Ticket) -> None:
    await decide_ticket(
        session, ticket.id, DEADLINES, agreed=True, reason="Yes.", now=NOW, by=ticket.account_id
    )


async def again(session: AsyncSession, ticket: Ticket) -> None:
    change = Change("It leaks, look.", reason=TicketReason.QUALITY_FAULT)
    await reapply_ticket(session, ticket.id, change, DEADLINES, now=NOW, by=ticket.account_id)


TICKET: Mapping[str, Act] = {
    "the shop agrees": agree,
    "the shop refuses": refuse,
    "the customer applies again": again,
    "the customer takes it back": withdraw,
    "the customer sends the goods": goods_sent,
    "the goods are accepted": goods_taken,
    "the goods are not accepted": goods_refused,
    "the customer insists": escalate,
    "a manager agrees": decide_yes,
    "a manager says no": decide_no,
    "the refund is made": refunded,
    "the refund fails": not_refunded,
    "staff tries the refund again": lambda session, it: retry_refunds(
        session, it.id, now=NOW, by=it.account_id
    ),
    "nobody acts in time": lambda session, it: act_overdue(session, it.id, DEADLINES, now=LATER),
}


@pytest.mark.parametrize("state", drawn("Tickets"))
async def test_what_may_happen_to_a_ticket(shop: Shop, state: str) -> None:
    await tried(shop, "Tickets", state, a_ticket, TICKET)
