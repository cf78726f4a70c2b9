"""Versions of the words that make a ticket urgent: each change adds one; none is ever changed."""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.urgent_terms.finding import is_han, parts_of
from domain.cause import Cause
from domain.errors import Conflict, Invalid, LimitReached, collect_refusals
from models import UrgentTerm, select_terms_now
from models.urgent_term import HOURS_LIMIT

TERMS_LIMIT = 500
"""Words that make a ticket urgent, in all languages."""
WORD_LIMIT = 50
EXCEPTIONS_LIMIT = 20
LANGUAGE = re.compile(r"[a-z]{2,3}")
SIGN = re.compile(r"[^\w\s]|_")
"""What texts are read without."""


@dataclass(frozen=True, slots=True)
class UrgentTermDraft:
    """What a version of a word says."""

    language: str
    word: str
    hours: int
    """How many hours earlier a ticket with it is attended to; 0 ends the word."""
    exceptions: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The word as it is compared; one part where it is one word."""
        return parts_of(self.word[:WORD_LIMIT])


async def save_urgent_term(
    session: AsyncSession, draft: UrgentTermDraft, *, version: int | None, cause: Cause
) -> UrgentTerm:
    """Add a version of a word; the same word in another spelling or form is the same word.

    `version` is the one that was read, None for a new word: Conflict when there is another by now. Tickets
    that wait for the shop are read again by a timer, the others as soon as they wait again.
    """
    with collect_refusals() as check:
        with check:
            check_term(draft)
        with check:
            check_exceptions(draft)
    await lock_terms(session)
    [term] = draft.parts
    rows = (await session.scalars(select_terms_now())).all()
    present = next((row for row in rows if (row.language, row.term) == (draft.language, term)), None)
    if (present.version if present else None) != version:
        raise Conflict("Somebody has changed this word meanwhile; read it again.", field=("version",))
    used = sum(1 for row in rows if row.hours and row is not present)
    if draft.hours and used >= TERMS_LIMIT:
        raise LimitReached("At most {limit} words make a ticket urgent.", limit=TERMS_LIMIT)
    saved = UrgentTerm(
        language=draft.language,
        term=term,
        word=draft.word.strip(),
        version=(version or 0) + 1,
        hours=draft.hours,
        exceptions=list({parts_of(each): each.strip() for each in draft.exceptions}.values()),
        edition=max((row.edition for row in rows), default=0) + 1,
        author_id=cause.by,
        created_at=cause.now,
    )
    session.add(saved)
    await session.flush()
    return saved


async def lock_terms(session: AsyncSession) -> None:
    """Let no other transaction change a word before this one has ended: editions become visible in order."""
    first = select(UrgentTerm.id).where(UrgentTerm.edition == 0).order_by(UrgentTerm.id).limit(1)
    await session.execute(first.with_for_update())


def check_term(draft: UrgentTermDraft) -> None:
    with collect_refusals() as check:
        if not LANGUAGE.fullmatch(draft.language):
            check.add(Invalid('A language is two or three letters, as "zh".', field=("language",)))
        if len(draft.word.strip()) > WORD_LIMIT or len(draft.parts) != 1:
            check.add(
                Invalid("Write one word of up to {limit} characters.", limit=WORD_LIMIT, field=("word",))
            )
        elif (sign := SIGN.search(draft.word.strip())) and draft.hours:  # a word of before may end
            check.add(Invalid('Write the word without "{sign}".', sign=sign[0], field=("word",)))
        if not 0 <= draft.hours <= HOURS_LIMIT:
            check.add(Invalid("Write 0 to {limit} hours.", limit=HOURS_LIMIT, field=("hours",)))


def check_exceptions(draft: UrgentTermDraft) -> None:
    """Refuse exceptions in which the word does not stand, or stands alone."""
    if len(draft.exceptions) > EXCEPTIONS_LIMIT:
        template = "A word has at most {limit} exceptions."
        raise LimitReached(template, limit=EXCEPTIONS_LIMIT, field=("exceptions",))
    if len(draft.parts) != 1:
        return  # the word is refused
    with collect_refusals() as check:
        for index, exception in enumerate(draft.exceptions):
            if len(exception.strip()) > WORD_LIMIT or not stands_within(draft.parts[0], exception):
                template = "Write a longer expression with this word, of up to {limit} characters."
                check.add(Invalid(template, limit=WORD_LIMIT, field=("exceptions", index)))


def stands_within(term: str, exception: str) -> bool:
    """Whether an expression is longer than a word and has it."""
    parts = parts_of(exception[:WORD_LIMIT])
    if is_han(term):
        return len(parts) == 1 and term in parts[0] and parts[0] != term
    return len(parts) > 1 and term in parts
