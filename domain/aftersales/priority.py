"""In which order tickets are attended to: by their deadline, earlier for what is worth much or sounds urgent.

The order is by a moment, so that it stays right while time passes. A ticket that waits for others has none.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.worth import sum_unit_costs
from domain.payment.approval_limit import find_limit
from models import Ticket, TicketStatus
from models.sql.types import AnySelect
from text.stemmer import stem_word
from text.tokenizer import script_runs

WAITS_FOR_SHOP = frozenset(
    {
        TicketStatus.APPLIED,
        TicketStatus.RETURN_SHIPPED,
        TicketStatus.REPAIRING,
        TicketStatus.ARBITRATION,
        TicketStatus.REFUND_FAILED,
    }
)
"""The statuses in which the shop has to act, whatever the customer writes."""

VALUE_HOURS = ((100, 24), (50, 12), (10, 4))
"""How many hours earlier: from this many per cent of what one person may give away alone."""

THREAT, ANGER, HURRY = 24, 12, 6
"""How many hours earlier, by what the strongest word says."""

HAN_WORDS: Mapping[str, int] = {
    **dict.fromkeys(("律师", "起诉", "法院", "报警", "诈骗", "骗子", "欺诈", "举报", "曝光"), THREAT),
    **dict.fromkeys(("投诉", "消协", "消费者协会", "工商局", "市场监管"), THREAT),
    **dict.fromkeys(
        ("生气", "愤怒", "气死", "气愤", "垃圾", "太差", "失望", "差评", "忍无可忍", "恶心"), ANGER
    ),
    **dict.fromkeys(("着急", "很急", "紧急", "加急", "尽快", "马上", "立刻", "急用", "等不及"), HURRY),
}
LATIN_WORDS: Mapping[str, int] = {
    stem_word(word): hours
    for words, hours in (
        ("lawyer attorney lawsuit sue court police fraud scam fraudulent chargeback complaint", THREAT),
        (
            "angry furious terrible awful horrible disgusting unacceptable ridiculous disappointed worst",
            ANGER,
        ),
        ("urgent urgently asap immediately emergency hurry", HURRY),
    )
    for word in words.split()
} | {"12315": THREAT}
HAN_NEGATIONS = ("不", "没", "没有", "不用", "不是", "别", "无需")
HAN_INTENSIFIERS = ("特别",)
"""They end like a negation."""
HAN_GOODS: Mapping[str, tuple[str, ...]] = {"垃圾": ("桶", "袋", "箱", "篓", "车"), "报警": ("器",)}
"""What makes a good of a word that is urgent by itself."""
LATIN_NEGATIONS = frozenset({"not", "no", "never", "isn", "don", "t", "without"})
"""A word right after one of these says the opposite."""

WORDS_LIMIT = 10
"""Words that are kept of a ticket."""


def find_urgent_terms(text: str) -> dict[str, int]:
    """The words of a text that make it urgent, each with how many hours earlier it is attended to."""
    found: dict[str, int] = {}
    runs = list(script_runs(text))
    for (_, before), (han, other) in pairwise([("", ""), *runs]):
        found |= {
            word: hours
            for word, hours in HAN_WORDS.items()
            if any(is_meant(han, match) for match in re.finditer(word, han))
        }
        stem = stem_word(other) if other else ""
        if stem in LATIN_WORDS and before not in LATIN_NEGATIONS:
            found[other] = LATIN_WORDS[stem]
    return found


def is_meant(text: str, word: re.Match[str]) -> bool:
    """Whether a word of a Chinese text says what it says by itself: not denied, and not a part of goods."""
    before, after = text[: word.start()], text[word.end() :]
    denied = before.endswith(HAN_NEGATIONS) and not before.endswith(HAN_INTENSIFIERS)
    return not denied and not after.startswith(HAN_GOODS.get(word[0], ()))


def note_words(ticket: Ticket, texts: Iterable[str]) -> None:
    """Note what the customer has said that makes a ticket urgent; what was said before stays."""
    found = dict.fromkeys(ticket.urgent_terms or (), 0)
    for text in texts:
        words = find_urgent_terms(text)
        found |= words
        ticket.word_hours = max([ticket.word_hours or 0, *words.values()])
    ticket.urgent_terms = list(found)[:WORDS_LIMIT]


def hours_of_value(worth: int, limit: int) -> int:
    """How many hours earlier something worth this much is attended to, by what one person may give away."""
    return (
        next((hours for percent, hours in VALUE_HOURS if worth * 100 >= limit * percent), 0) if worth else 0
    )


async def note_value(session: AsyncSession, ticket: Ticket) -> None:
    """Note how much a ticket asks for: its refund, or what its units cost where that is more."""
    cost = await sum_unit_costs(session, ticket)
    limit = find_limit(session, ticket.currency)
    ticket.value_hours = hours_of_value(max(cost, ticket.refund_amount), limit)


async def weigh_ticket(
    session: AsyncSession, ticket: Ticket, text: str, deadlines: Deadlines, *, now: datetime
) -> None:
    """Note what a customer asks for and how they say it, and set by when it should be attended to."""
    note_words(ticket, [text])
    await note_value(session, ticket)
    rank_ticket(ticket, deadlines, now=now)


def rank_ticket(ticket: Ticket, deadlines: Deadlines, *, now: datetime) -> None:
    """Set by when a ticket should be attended to, by its status, its deadline, its value and its words."""
    deadline = deadline_of(ticket, deadlines, now=now)
    earlier = timedelta(hours=(ticket.value_hours or 0) + (ticket.word_hours or 0))
    ticket.attend_by = None if deadline is None else deadline - earlier


def deadline_of(ticket: Ticket, deadlines: Deadlines, *, now: datetime) -> datetime | None:
    """By when the shop has to act on a ticket or answer its customer; None where it waits for others."""
    ends = []
    if ticket.status in WAITS_FOR_SHOP:
        ends.append(ticket.overdue_since or ticket.due_at or now + deadlines.answer)
    if ticket.unanswered_since is not None:
        ends.append(ticket.unanswered_since + deadlines.answer)
    return min(ends, default=None)


def select_unranked(now: datetime) -> AnySelect:
    """The ids of tickets that wait for the shop and were opened by a release which did not rank them."""
    waits = Ticket.status.in_(WAITS_FOR_SHOP) & Ticket.attend_by.is_(None)
    return select(Ticket.id).where(waits).order_by(Ticket.id)


async def rank_unranked(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, now: datetime
) -> None:
    ticket = await session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    await weigh_ticket(session, ticket, ticket.description, deadlines, now=now)
