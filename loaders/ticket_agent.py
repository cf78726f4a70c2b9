"""To whom the shop gives tickets by itself."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import Grouped, ManyByKey, loader
from models import Account, Permission, Role, Ticket, TicketAgent, TicketSkill, is_granted
from models.database import Reads

AGENTS_LIMIT = 500
"""Agents that are listed."""
ROLES = [role for role in Role if is_granted(Permission.TICKET_HANDLE, role)]
"""Those of who can handle tickets."""


class SkillsByAgent(ManyByKey[int, TicketSkill]):
    key = TicketSkill.account_id
    order_by = (TicketSkill.ticket_type, TicketSkill.language)


class LoadByAgent(Grouped[int, int]):
    """How many tickets that wait for the shop somebody has."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, int]:
        rows = await session.execute(
            select(Ticket.assignee_id, func.count())
            .where(Ticket.assignee_id.in_(keys), Ticket.attend_by.is_not(None))
            .group_by(Ticket.assignee_id)
        )
        return {account_id: count for account_id, count in rows if account_id is not None}

    def default(self) -> int:
        return 0


async def load_ticket_agents(reads: Reads) -> Sequence[TicketAgent]:
    """To whom the shop gives tickets by itself, by their names: those of them who can handle any now."""
    async with reads() as session:
        rows = await session.scalars(
            select(TicketAgent)
            .join(Account, Account.id == TicketAgent.account_id)
            .where(Account.disabled_at.is_(None), Account.role.in_(ROLES))
            .order_by(Account.name, Account.id)
            .limit(AGENTS_LIMIT)
        )
        return rows.all()


class TicketAgentLoaders:
    agent_skills = loader(SkillsByAgent)
    agent_load = loader(LoadByAgent)
