"""Who is given which tickets: agents, their skills and presence, and taking the next ticket."""

from collections.abc import Sequence

import strawberry

from domain.aftersales.agents import save_ticket_agent, set_presence
from domain.aftersales.giving import take_ticket
from domain.errors import Forbidden
from loaders.ticket_agent import load_ticket_agents
from models import Ticket, TicketAgent, TicketSkill, TicketType
from resolvers.aftersales.queries import own_ticket_id
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.ticket_agent import TicketAgentSaveInput


async def ticket_agents(info: Info) -> Sequence[TicketAgent]:
    """To whom the shop gives tickets by itself, by their names."""
    return await load_ticket_agents(info.context.shop.database.reads)


async def ticket_agent_save(info: Info, input: TicketAgentSaveInput) -> TicketAgent:
    """Says which tickets the shop gives to somebody by itself: the types and languages they handle, and how
    many at once. Certificates are needed besides where tickets take one."""
    draft = input.draft()
    async with info.context.transaction() as session:
        return await save_ticket_agent(session, draft, version=input.version, cause=info.context.cause)


async def ticket_presence_set(
    info: Info, present: bool, account_id: strawberry.ID | None = None
) -> TicketAgent:
    """Says that an agent is there or away. Who is away is given nothing, and what they had goes to others.

    present: true: there; false: away
    account_id: for managers: whose presence; left out, one's own
    """
    viewer = info.context.viewer
    row = (
        info.context.cause.person
        if account_id is None
        else row_id(account_id, "Account", field=("account_id",))
    )
    if row != viewer.id and not viewer.may(Permission.TICKET_DECIDE):
        raise Forbidden
    async with info.context.transaction() as session:
        return await set_presence(session, row, present=present, cause=info.context.cause)


async def ticket_take(info: Info, id: strawberry.ID | None = None) -> Ticket:
    """Gives the viewer a ticket that nobody has; two of them never get the same. TAKEN where somebody has it.

    id: the ticket; left out, the most urgent one that waits for agents and that the viewer can handle
    """
    context = info.context
    ticket_id = None if id is None else await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await take_ticket(session, ticket_id, cause=context.cause)


async def agent_loads(agents: Sequence[TicketAgent], info: Info) -> Sequence[int]:
    """How many tickets that wait for the shop they have now."""
    return await info.context.load.agent_load.load_many([agent.account_id for agent in agents])


async def priorities(tickets: Sequence[Ticket], info: Info) -> Sequence[Ticket | None]:
    """How urgent it is; null while it waits for others than the shop, and for customers."""
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [None] * len(tickets)
    return [ticket if ticket.attend_by is not None else None for ticket in tickets]


def skill_type(root: TicketSkill) -> TicketType:
    """The type of ticket."""
    return root.ticket_type
