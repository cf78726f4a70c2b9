"""To whom the shop gives tickets by itself: skills, how many at once, and who is there."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.assignment import check_agent, lock_ticket_agent, release_tickets_of
from domain.cause import Cause
from domain.errors import Invalid, NotFound, collect_refusals
from domain.versions import check_version
from models import TicketAgent, TicketSkill, TicketType
from models.sql.upsert import upsert_into
from text.messages import LANGUAGES

OPEN_LIMIT = 200
"""The most tickets at once that the shop can be told to give to one agent."""


@dataclass(frozen=True, slots=True)
class TicketAgentDraft:
    """What an agent handles, and how much at once."""

    account_id: int
    skills: tuple[tuple[TicketType, str], ...]
    """Types of ticket, each with a language."""
    open_limit: int


async def save_ticket_agent(
    session: AsyncSession, draft: TicketAgentDraft, *, version: int | None, cause: Cause
) -> TicketAgent:
    """Say what the shop gives to somebody by itself; without a skill, it gives them nothing."""
    await check_agent(session, draft.account_id, field=("account_id",))
    with collect_refusals() as check:
        if not 0 <= draft.open_limit <= OPEN_LIMIT:
            check.add(
                Invalid(
                    "An agent is given 0 to {limit} tickets at once.", limit=OPEN_LIMIT, field=("open_limit",)
                )
            )
        for index, (_, language) in enumerate(draft.skills):
            if language not in LANGUAGES:
                path = ("skills", index, "language")
                check.add(Invalid("The shop does not write in this language.", field=path))
        if len(set(draft.skills)) < len(draft.skills):
            check.add(Invalid("Name each skill once.", field=("skills",)))
    agent = await create_ticket_agent(session, draft.account_id, cause=cause)
    if agent.version:
        check_version(agent, version)
    agent.open_limit, agent.version, agent.updated_at = draft.open_limit, agent.version + 1, cause.now
    await session.flush()
    await save_skills(session, draft.account_id, draft.skills)
    return agent


async def create_ticket_agent(session: AsyncSession, account_id: int, *, cause: Cause) -> TicketAgent:
    """The locked row of an agent, who is given nothing yet where it is new; of two at once one creates it."""
    values = {"account_id": account_id, "open_limit": 0, "version": 0, "updated_at": cause.now}
    stored = upsert_into(session, TicketAgent).values(values)
    await session.execute(stored.on_conflict_do_nothing())
    return await session.get_one(TicketAgent, account_id, with_for_update=True, populate_existing=True)


async def save_skills(
    session: AsyncSession, account_id: int, skills: Collection[tuple[TicketType, str]]
) -> None:
    await session.execute(delete(TicketSkill).where(TicketSkill.account_id == account_id))
    session.add_all(
        TicketSkill(account_id=account_id, ticket_type=type, language=language) for type, language in skills
    )
    await session.flush()


async def set_presence(session: AsyncSession, account_id: int, *, present: bool, cause: Cause) -> TicketAgent:
    """Note that an agent is there or away; the tickets of who goes away are given to others.

    Who may not handle tickets is not there: they would be given some as soon as they may again.
    """
    if present:
        await check_agent(session, account_id, field=("account_id",))
    agent = await lock_ticket_agent(session, account_id)
    if agent is None:
        raise NotFound("ticket agent", field=("account_id",))
    if present:
        agent.away_since = None
    elif agent.away_since is None:
        agent.away_since = cause.now
        await release_tickets_of(session, account_id, cause=cause)
    return agent
