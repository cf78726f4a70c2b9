"""Giving tickets to agents by skill, certificate and load, and agents who take the next one."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.aftersales.assignment import check_agent, forget_release, is_needed, lock_ticket_agent, take_away
from domain.aftersales.certificates import require_certificate_for_ticket
from domain.cause import Cause
from domain.errors import DomainError, NotFound, Taken, WrongState
from domain.events import TicketAssigned
from domain.outbox import record
from domain.training import is_active, is_certified
from models import (
    Account,
    CertificateRequirement,
    Permission,
    Ticket,
    TicketAgent,
    TicketRelease,
    TicketSkill,
    TicketStatus,
)
from models.sql.types import AnyAttribute, AnySelect

FOR_AGENTS = (TicketStatus.APPLIED, TicketStatus.REFUND_FAILED)
"""In these, agents have to act; elsewhere only where the customer has written."""

Customer = aliased(Account)


def waits_for_agents() -> ColumnElement[bool]:
    """Whether nobody has a ticket that agents have to act on."""
    return (
        Ticket.attend_by.is_not(None)
        & Ticket.assignee_id.is_(None)
        & or_(Ticket.status.in_(FOR_AGENTS), Ticket.unanswered_since.is_not(None))
    )


def has_given_back(account_id: int | AnyAttribute) -> ColumnElement[bool]:
    """Whether somebody has given a ticket back, or it was taken from them."""
    release = TicketRelease.ticket_id == Ticket.id, TicketRelease.account_id == account_id
    return select(TicketRelease.ticket_id).where(*release).correlate(Ticket, TicketAgent).exists()


def select_fitting(now: datetime) -> AnySelect:
    """Tickets that nobody has, each with the agents it can be given to and how many tickets these have."""
    load = func.count().label("load")
    loads = (
        select(Ticket.assignee_id, load)
        .where(Ticket.assignee_id.is_not(None), Ticket.attend_by.is_not(None))
        .group_by(Ticket.assignee_id)
        .subquery()
    )
    has = func.coalesce(loads.c.load, 0)
    return (
        select(Ticket.id, Ticket.attend_by, TicketAgent.account_id, has.label("load"))
        .join(Customer, Customer.id == Ticket.account_id)
        .join(TicketSkill, TicketSkill.ticket_type == Ticket.type)
        .join(TicketAgent, TicketAgent.account_id == TicketSkill.account_id)
        .join(Account, Account.id == TicketAgent.account_id)
        .outerjoin(loads, loads.c.assignee_id == TicketAgent.account_id)
        .where(
            waits_for_agents(),
            TicketAgent.away_since.is_(None),
            has < TicketAgent.open_limit,
            or_(Customer.language.is_(None), Customer.language.startswith(TicketSkill.language)),
            is_active(Permission.TICKET_HANDLE),
            is_certified(Ticket.type, now),
            ~has_given_back(TicketAgent.account_id),
        )
    )


def select_free(now: datetime) -> AnySelect:
    """The ids of free tickets that can be given to somebody, the most urgent first."""
    fitting = select_fitting(now).subquery()
    return select(fitting.c.id).group_by(fitting.c.id, fitting.c.attend_by).order_by(fitting.c.attend_by)


async def give_ticket(session: AsyncSession, ticket_id: int, *, cause: Cause) -> None:
    """Give a ticket to the agent who has fewest of those who can handle it; nothing where nobody can.

    The account and the row of the agent are locked before the ticket, as by those who disable them or send
    them away, and looked at again: nobody is given more than they can have.
    """
    fitting = select_fitting(cause.now).where(Ticket.id == ticket_id).subquery()
    by_load = select(fitting.c.account_id).order_by(fitting.c.load, fitting.c.account_id).limit(1)
    account_id = await session.scalar(by_load)
    if account_id is None:
        return
    try:
        await check_agent(session, account_id)
    except DomainError:
        return
    await lock_ticket_agent(session, account_id)
    ticket = await session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if await session.scalar(by_load.where(fitting.c.account_id == account_id)) is not None:
        ticket.assignee_id = account_id
        record(session, TicketAssigned(ticket, assignee_id=account_id), cause)


async def take_ticket(session: AsyncSession, ticket_id: int | None, *, cause: Cause) -> Ticket:
    """Give an agent the ticket they name, or else the most urgent one that they can handle and nobody has."""
    await check_agent(session, cause.person)
    ticket = await lock_free_ticket(session, ticket_id, cause=cause)
    if ticket.assignee_id is None:
        ticket.assignee_id = cause.person
        await forget_release(session, ticket, cause.person)
        record(session, TicketAssigned(ticket, assignee_id=cause.person), cause)
    return ticket


async def lock_free_ticket(session: AsyncSession, ticket_id: int | None, *, cause: Cause) -> Ticket:
    """The ticket, locked; of several that wait, one that nobody else is about to take."""
    if ticket_id is None:
        found: Ticket | None = await session.scalar(select_next(cause))
        if found is None:
            raise NotFound("waiting ticket", field=("id",))
        return found
    ticket = await session.get(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None:
        raise NotFound("ticket", field=("id",))
    if ticket.assignee_id not in {None, cause.person}:
        raise Taken("Somebody else has this ticket.", field=("id",))
    if ticket.closed_at is not None and ticket.unanswered_since is None:
        raise WrongState("This ticket has ended.", field=("id",))
    await require_certificate_for_ticket(session, ticket, cause.person, cause=cause)
    return ticket


def select_next(cause: Cause) -> AnySelect:
    """The most urgent ticket that somebody can handle and has not given back: by their skills, where they
    have any."""
    skill = select(TicketSkill.account_id).where(TicketSkill.account_id == cause.person)
    speaks = or_(Customer.language.is_(None), Customer.language.startswith(TicketSkill.language))
    fits = exists(skill.where(TicketSkill.ticket_type == Ticket.type, speaks).correlate(Ticket, Customer))
    return (
        select(Ticket)
        .join(Customer, Customer.id == Ticket.account_id)
        .join(Account, Account.id == cause.person)
        .where(
            waits_for_agents(),
            is_certified(Ticket.type, cause.now),
            or_(~exists(skill), fits),
            ~has_given_back(cause.person),
        )
        .order_by(Ticket.attend_by, Ticket.id)
        .limit(1)
        .with_for_update(of=Ticket, skip_locked=True)
        .execution_options(populate_existing=True)
    )


def select_uncertified(now: datetime) -> AnySelect:
    """The ids of tickets that somebody has who lacks a certificate, which has ended or is newly required."""
    required = select(CertificateRequirement.ticket_type).where(
        CertificateRequirement.ticket_type.is_not(None)
    )
    return (
        select(Ticket.id)
        .join(Account, Account.id == Ticket.assignee_id)
        .where(is_needed(), Ticket.type.in_(required), ~is_certified(Ticket.type, now))
        .order_by(Ticket.id)
    )


async def release_uncertified(session: AsyncSession, ticket_ids: Collection[int], *, cause: Cause) -> int:
    """Take tickets from those who may not handle them any more, all in one transaction; how many."""
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.id.in_(ticket_ids), Ticket.id.in_(select_uncertified(cause.now).order_by(None)))
        .order_by(Ticket.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    tickets = rows.all()
    await take_away(session, tickets, cause=cause)
    return len(tickets)
