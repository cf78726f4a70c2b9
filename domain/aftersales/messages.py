"""The messages of a ticket, the internal notes of the staff, and who has read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.recipients import CustomerNotice, queue_customer_notices
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.priority import note_words, rank_ticket
from domain.aftersales.questions import follow_message
from domain.aftersales.states import answer_customer
from domain.aftersales.texts import MESSAGE_LIMIT, clean_text
from domain.aftersales.ticket import check_ticket_media
from domain.aftersales.urgent_terms import load_urgent_terms
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, collect_refusals
from domain.events import TicketMessageAdded
from domain.outbox import record
from models import (
    Account,
    NoticeKind,
    Permission,
    Ticket,
    TicketMention,
    TicketMessage,
    TicketMessageMedia,
    TicketRead,
    is_granted,
)
from models.sql.upsert import upsert_into

MESSAGES_LIMIT = 500
"""Of one ticket."""

CUSTOMER_MESSAGES_LIMIT = 300
"""Of those, by the customer of the ticket: the staff can always answer, note and hand over."""

MENTIONS_LIMIT = 20
"""Of one note."""


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """What somebody writes about a ticket."""

    body: str
    internal: bool = False
    media_ids: tuple[int, ...] = ()
    mention_ids: tuple[int, ...] = ()
    """Accounts of the staff whom a note asks to look."""


async def add_message(
    session: AsyncSession, ticket_id: int, draft: MessageDraft, deadlines: Deadlines, *, cause: Cause
) -> Ticket:
    """Add a message to a ticket, whatever its status; one of the staff answers a question.

    What is written about a duplicate is a message of the ticket as which it goes on, which is returned.
    """
    ticket = await lock_thread(session, ticket_id)
    await check_messages_limit(session, ticket, cause=cause)
    mentioned: Sequence[Account] = ()
    with collect_refusals() as check:
        body = check.value(clean_body, "", draft.body)
        with check:
            await check_ticket_media(session, draft.media_ids, account_id=cause.person)
        with check:
            mentioned = await find_mentioned(session, draft)
    message = TicketMessage(
        ticket_id=ticket.id,
        author_id=cause.person,
        body=body,
        internal=draft.internal,
        created_at=cause.now,
    )
    session.add(message)
    await session.flush()
    session.add_all(
        TicketMessageMedia(message_id=message.id, media_id=media_id) for media_id in draft.media_ids
    )
    await save_mentions(session, message, mentioned, number=ticket.number, cause=cause)
    await save_read_mark(session, message, cause=cause)
    # Customers see every event of their tickets, so an internal note is not one.
    if not draft.internal:
        follow_message(ticket, deadlines, from_customer=cause.by == ticket.account_id, cause=cause)
        await note_answer(session, ticket, body, deadlines, cause=cause)
        record(session, TicketMessageAdded(ticket, message_id=message.id), cause)
    return ticket


async def lock_thread(session: AsyncSession, ticket_id: int) -> Ticket:
    """The ticket, or the one as which it goes on, locked; a duplicate is never locked before the other."""
    merged_into_id = await session.scalar(select(Ticket.merged_into_id).where(Ticket.id == ticket_id))
    ticket = await session.get(
        Ticket, merged_into_id or ticket_id, with_for_update=True, populate_existing=True
    )
    if ticket is None:
        raise NotFound("ticket", field=("id",))
    return ticket if ticket.merged_into_id is None else await lock_thread(session, ticket_id)


async def note_answer(
    session: AsyncSession, ticket: Ticket, body: str, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Note that the customer waits for an answer, with the words that make it urgent, or has got one.

    So they do where they write about a ticket that has ended.
    """
    if cause.by == ticket.account_id:
        ticket.unanswered_since = ticket.unanswered_since or cause.now
        note_words(ticket, [body], await load_urgent_terms(session))
        rank_ticket(ticket, deadlines, now=cause.now)
    else:
        answer_customer(ticket, deadlines, now=cause.now)


async def check_messages_limit(session: AsyncSession, ticket: Ticket, *, cause: Cause) -> None:
    """Refuse a message beyond those of a locked ticket, or of its customer."""
    by_customer = TicketMessage.author_id == ticket.account_id
    messages, customers = (
        await session.execute(
            select(func.count(), func.count().filter(by_customer)).where(TicketMessage.ticket_id == ticket.id)
        )
    ).one()
    if messages >= MESSAGES_LIMIT:
        raise LimitReached("A ticket has at most {limit} messages.", limit=MESSAGES_LIMIT)
    if cause.by == ticket.account_id and customers >= CUSTOMER_MESSAGES_LIMIT:
        raise LimitReached(
            "A customer writes at most {limit} messages about a ticket.", limit=CUSTOMER_MESSAGES_LIMIT
        )


def clean_body(body: str) -> str:
    return clean_text(body, limit=MESSAGE_LIMIT, field="body")


async def find_mentioned(session: AsyncSession, draft: MessageDraft) -> Sequence[Account]:
    """The accounts a note mentions, each once; others than staff who see all tickets are refused."""
    if draft.mention_ids and not draft.internal:
        raise Invalid("Only internal notes mention somebody.", field=("mention_ids",))
    if len(draft.mention_ids) > MENTIONS_LIMIT:
        raise LimitReached(
            "A note mentions at most {limit} people.", limit=MENTIONS_LIMIT, field=("mention_ids",)
        )
    rows = await session.scalars(select(Account).where(Account.id.in_(draft.mention_ids)))
    found = {account.id: account for account in rows if can_look(account)}
    with collect_refusals() as check:
        for index, account_id in enumerate(draft.mention_ids):
            if account_id not in found:
                check.add(NotFound("account", field=("mention_ids", index)))
    return [found[account_id] for account_id in dict.fromkeys(draft.mention_ids)]


def can_look(account: Account) -> bool:
    """Whether somebody sees tickets and the notes of the staff, and still works here."""
    return (
        account.disabled_at is None
        and is_granted(Permission.TICKET_VIEW_ALL, account.role)
        and is_granted(Permission.TICKET_VIEW_INTERNAL, account.role)
    )


async def save_mentions(
    session: AsyncSession, message: TicketMessage, mentioned: Sequence[Account], *, number: str, cause: Cause
) -> None:
    """Note who is asked to look, and tell them; who mentions themselves is not told."""
    session.add_all(TicketMention(message_id=message.id, account_id=account.id) for account in mentioned)
    notices = [
        CustomerNotice(
            account,
            NoticeKind.TICKET_MENTIONED,
            f"ticket.mentioned:{message.id}:{account.id}",
            {"number": number},
        )
        for account in mentioned
        if account.id != cause.by
    ]
    await queue_customer_notices(session, notices, now=cause.now)


async def read_ticket(
    session: AsyncSession, ticket_id: int, message_id: int, *, sees_internal: bool, cause: Cause
) -> Ticket:
    """Note up to which message somebody has read; a mark never goes back."""
    message = await session.get(TicketMessage, message_id)
    if message is None or message.ticket_id != ticket_id or (message.internal and not sees_internal):
        raise NotFound("ticket message", field=("message_id",))
    await save_read_mark(session, message, cause=cause)
    return await session.get_one(Ticket, ticket_id)


async def save_read_mark(session: AsyncSession, message: TicketMessage, *, cause: Cause) -> None:
    statement = upsert_into(session, TicketRead).values(
        ticket_id=message.ticket_id, account_id=cause.person, message_id=message.id, read_at=cause.now
    )
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[TicketRead.ticket_id, TicketRead.account_id],
            set_={"message_id": new.message_id, "read_at": new.read_at},
            where=TicketRead.message_id < new.message_id,
        )
    )
