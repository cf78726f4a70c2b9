"""Texts that agents answer with: kept by clerks for each language, filled with facts of one ticket."""

import re
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.texts import MESSAGE_LIMIT, clean_text
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, Taken, collect_refusals
from domain.versions import check_version
from models import Account, CannedAnswer, Order, Ticket
from text.messages import LANGUAGES
from text.messages.facts import format_fact

PLACEHOLDERS = ("agent", "customer", "due", "order", "refund", "ticket")
"""Who answers, the name of the customer, until when the ticket waits, the order's number, the refund, the
ticket's number."""

ANSWERS_LIMIT = 500
TITLE_LIMIT = 200
CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class CannedAnswerDraft:
    """What an answer says in one language."""

    code: str
    language: str
    title: str
    body: str


async def save_canned_answer(
    session: AsyncSession,
    answer_id: int | None,
    draft: CannedAnswerDraft,
    *,
    version: int | None,
    cause: Cause,
) -> CannedAnswer:
    """Add an answer, or change one; an archived one that is saved is offered again."""
    check_answer(draft)
    same = CannedAnswer.code == draft.code, CannedAnswer.language == draft.language
    other = await session.scalar(select(CannedAnswer).where(*same).with_for_update())
    if other is not None and other.id != answer_id:
        raise Taken("Another answer has this code in this language.", field=("code",))
    if answer_id is None:
        answer = await add_canned_answer(session, draft, cause=cause)
    else:
        answer = await lock_answer(session, answer_id)
        check_version(answer, version)
    answer.code, answer.language = draft.code, draft.language
    answer.title, answer.body = draft.title.strip(), draft.body.strip()
    answer.version, answer.updated_at, answer.archived_at = answer.version + 1, cause.now, None
    try:
        await session.flush()
    except IntegrityError:
        raise Taken("Another answer has this code in this language.", field=("code",)) from None
    return answer


async def add_canned_answer(session: AsyncSession, draft: CannedAnswerDraft, *, cause: Cause) -> CannedAnswer:
    count = await session.scalar(select(func.count(CannedAnswer.id)))
    if (count or 0) >= ANSWERS_LIMIT:
        raise LimitReached("At most {limit} answers can be kept.", limit=ANSWERS_LIMIT)
    answer = CannedAnswer(
        code=draft.code,
        language=draft.language,
        title="",
        body="",
        version=0,
        updated_at=cause.now,
    )
    session.add(answer)
    return answer


async def archive_canned_answer(
    session: AsyncSession, answer_id: int, *, version: int, cause: Cause
) -> CannedAnswer:
    """Offer an answer no more; what was written with it stays as it was."""
    answer = await lock_answer(session, answer_id)
    check_version(answer, version)
    answer.archived_at = answer.archived_at or cause.now
    return answer


async def lock_answer(session: AsyncSession, answer_id: int) -> CannedAnswer:
    answer = await session.get(CannedAnswer, answer_id, with_for_update=True, populate_existing=True)
    if answer is None:
        raise NotFound("canned answer", field=("id",))
    return answer


def check_answer(draft: CannedAnswerDraft) -> None:
    with collect_refusals() as check:
        if not CODE.fullmatch(draft.code):
            check.add(Invalid("A code is a to z, digits and dashes, at most 40.", field=("code",)))
        if draft.language not in LANGUAGES:
            check.add(Invalid("The shop does not write in this language.", field=("language",)))
        with check:
            clean_text(draft.title, limit=TITLE_LIMIT, field="title")
        with check:
            clean_text(draft.body, limit=MESSAGE_LIMIT, field="body")
        unknown = [name for name in PLACEHOLDER.findall(draft.body) if name not in PLACEHOLDERS]
        if unknown:
            check.add(
                Invalid(
                    "There is no {name}: these are {known}.",
                    name=f"{{{unknown[0][:40]}}}",
                    known=", ".join(PLACEHOLDERS),
                    field=("body",),
                )
            )


def fill_answer(
    answer: CannedAnswer,
    ticket: Ticket,
    order: Order | None,
    customer: Account,
    agent: Account,
    *,
    zone: tzinfo,
) -> str:
    """The text with the facts of a ticket in place of the placeholders; those of an order stay where it is
    about none.

    What a fact says is never read again as a placeholder: a customer may call themselves "{refund}".
    """
    facts = {
        "agent": agent.name,
        "customer": customer.name,
        "due": format_fact(ticket.due_at, answer.language, zone),
        "ticket": ticket.number,
    }
    if order is not None:
        facts |= {
            "order": order.number,
            "refund": format_fact(ticket.refund, answer.language, zone),
        }
    return PLACEHOLDER.sub(lambda found: facts.get(found[1], found[0]), answer.body)
