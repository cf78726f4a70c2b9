"""Loading the agents to whom the shop gives tickets, with those that they have already."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content, TicketAgentContent
from domain.aftersales.agents import TicketAgentDraft, save_ticket_agent, set_presence
from domain.aftersales.assignment import assign_ticket
from domain.aftersales.giving import give_ticket, select_free
from domain.cause import Cause
from events.shop import Shop
from models import Account, Role, Ticket, TicketAgent, TicketStatus


async def load_ticket_agents(shop: Shop, content: Content) -> None:
    """Say who handles which tickets, and give them those that are open: what was answered to whoever handles
    such tickets, and what waits as the shop gives it."""
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        if await session.scalar(select(TicketAgent.account_id).limit(1)) is not None:
            return
        staff = await session.scalars(select(Account).where(Account.email.is_not(None)).order_by(Account.id))
        accounts = {account.email: account for account in staff}
        by = Cause(now, next(each.id for each in accounts.values() if each.role is Role.MANAGER))
        ids = {agent.email: accounts[agent.email].id for agent in content.ticket_agents}
        for agent in content.ticket_agents:
            skills = tuple((type, agent.language) for type in agent.types)
            draft = TicketAgentDraft(ids[agent.email], skills, agent.open_limit)
            await save_ticket_agent(session, draft, version=None, cause=by)
            await set_presence(session, ids[agent.email], present=not agent.away, cause=by)
        await assign_answered(session, content.ticket_agents, ids, cause=by)
        for ticket_id in (await session.scalars(select_free(now))).all():
            await give_ticket(session, ticket_id, cause=Cause(now))


async def assign_answered(
    session: AsyncSession, agents: Sequence[TicketAgentContent], ids: Mapping[str, int], *, cause: Cause
) -> None:
    """Assign the open tickets that were answered to the agents who handle such tickets."""
    for agent in agents:
        answered = (
            select(Ticket.id)
            .join(Account, Account.id == Ticket.account_id)
            .where(
                Ticket.status != TicketStatus.APPLIED,
                Ticket.closed_at.is_(None),
                Ticket.assignee_id.is_(None),
                Ticket.type.in_(agent.types),
                Account.language.startswith(agent.language),
            )
            .order_by(Ticket.id)
        )
        if not agent.away:
            for ticket_id in (await session.scalars(answered)).all():
                await assign_ticket(session, ticket_id, ids[agent.email], cause=cause)
