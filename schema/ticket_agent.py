"""To whom tickets are given, and how urgent they are."""

from datetime import datetime

import strawberry

import models
from resolvers import aftersales as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.limits.sizes import FEW, MANY
from schema.mutation import mutation
from schema.rows import batched, field, loaded, plain_list, row_type

TicketSort = describe_enum(resolve.TicketSort)


@row_type(models.Ticket)
class TicketPriority:
    """By when the shop should attend to a ticket, and what that rests on."""

    attend_by: datetime
    """The tickets are ordered by this: the deadline, less the hours for value and words."""
    value_hours: int
    """How many hours earlier, for what is asked for."""
    word_hours: int
    """How many hours earlier, for the words of the customer."""
    urgent_terms: list[str] = plain_list(size=FEW)
    """These words."""


@row_type(models.TicketSkill)
class TicketSkill:
    """A type of ticket that somebody handles in one language."""

    type: models.TicketType = field(resolve.skill_type)
    language: str
    """The language, "zh" or "en"."""


@row_type(models.TicketAgent)
class TicketAgent:
    """Somebody to whom the shop gives tickets by itself."""

    account: Account = loaded("account", key="account_id")
    """Who it is."""
    skills: list[TicketSkill] = loaded("agent_skills", key="account_id", size=FEW)
    """What they handle."""
    open_limit: int
    """Tickets that wait for the shop which they are given at once."""
    load: int = batched(resolve.agent_loads)
    away_since: datetime | None
    """Since when they are away; null while they are there."""
    version: int
    """One higher with each change; pass it back when you save."""


@strawberry.type
class TicketAgentQuery:
    ticket_agents: list[TicketAgent] = field(resolve.ticket_agents, allow=Permission.TICKET_HANDLE, size=MANY)


@strawberry.type
class TicketAgentMutation:
    ticket_agent_save = mutation(
        resolve.ticket_agent_save, returns=TicketAgent, allow=Permission.TICKET_DECIDE
    )
    ticket_presence_set = mutation(
        resolve.ticket_presence_set, returns=TicketAgent, allow=Permission.TICKET_HANDLE
    )
