"""Texts that agents answer with."""

from collections.abc import Sequence

import strawberry

from domain.aftersales.canned_answers import (
    CannedAnswerDraft,
    archive_canned_answer,
    fill_answer,
    save_canned_answer,
)
from domain.errors import NotFound
from loaders.canned_answers import load_canned_answers
from models import CannedAnswer
from resolvers.aftersales.queries import find_ticket
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id


async def canned_answers(
    info: Info, language: str | None = None, archived: bool = False
) -> Sequence[CannedAnswer]:
    """Texts that agents answer with, by code and language.

    language: only in this one
    archived: true: those that are not offered any more
    """
    reads = info.context.shop.database.reads
    return await load_canned_answers(reads, language=language, archived=archived)


async def canned_answer_text(info: Info, id: strawberry.ID, ticket_id: strawberry.ID) -> str | None:
    """A text with the facts of a ticket in place of its placeholders; null where either does not exist. Those
    of an order stay where the ticket is about none.

    id: the text
    ticket_id: the ticket
    """
    load, viewer = info.context.load, info.context.viewer
    try:
        answer = await load.canned_answer.load(row_id(id, "CannedAnswer"))
        ticket = await find_ticket(info, row_id(ticket_id, "Ticket"))
    except NotFound:
        return None
    if answer is None or answer.archived_at is not None or ticket is None:
        return None
    order = None if ticket.order_id is None else await load.order.load(ticket.order_id)
    customer, agent = await load.account.load_many([ticket.account_id, viewer.id])
    if customer is None or agent is None:
        return None
    zone = info.context.shop.settings.locale.zone
    return fill_answer(answer, ticket, order, customer, agent, zone=zone)


async def canned_answer_save(
    info: Info,
    code: str,
    language: str,
    title: str,
    body: str,
    id: strawberry.ID | None = None,
    version: int | None = None,
) -> CannedAnswer:
    """Adds a text that agents answer with, or changes one; an archived one is offered again.

    code: what it is known by in all languages: a to z, digits and dashes
    language: the language it is in, "zh" or "en"
    title: what agents choose it by
    body: up to 4,000 characters, with {agent}, {customer}, {due}, {order}, {refund} and {ticket} for facts
    id: the text to change; a new one is added without it
    version: the version you have read; CONFLICT when somebody changed it since
    """
    answer_id = row_id(id, "CannedAnswer") if id else None
    draft = CannedAnswerDraft(code, language, title, body)
    async with info.context.transaction() as session:
        return await save_canned_answer(session, answer_id, draft, version=version, cause=info.context.cause)


async def canned_answer_archive(info: Info, id: strawberry.ID, version: int) -> CannedAnswer:
    """Offers a text no more; what was written with it stays.

    id: the text
    version: the version you have read; CONFLICT when somebody changed it since
    """
    answer_id = row_id(id, "CannedAnswer")
    async with info.context.transaction() as session:
        return await archive_canned_answer(session, answer_id, version=version, cause=info.context.cause)


async def find_canned_answer(info: Info, answer_id: int) -> CannedAnswer | None:
    """The text, for those who answer tickets."""
    if not info.context.viewer.may(Permission.TICKET_HANDLE):
        return None
    return await info.context.load.canned_answer.load(answer_id)
