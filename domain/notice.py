"""Notices: queued with their cause in one transaction, claimed by a worker, and sent afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.state import move, transition_table
from models import Account, GuestAccount, Notice, NoticeChannel, NoticeKind, NoticeStatus, Role
from models.sql.batches import in_batches
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

TRANSITIONS = transition_table(
    NoticeStatus.PENDING,
    {
        NoticeStatus.PENDING: {NoticeStatus.SENT, NoticeStatus.FAILED, NoticeStatus.DISCARDED},
        NoticeStatus.SENT: set(),
        NoticeStatus.FAILED: set(),
        NoticeStatus.DISCARDED: set(),
    },
)

ATTEMPTS_LIMIT = 12
"""Attempts to send a notice; the last one is about nine hours after the first."""
FIRST_PAUSE = timedelta(seconds=10)
PAUSE_LIMIT = timedelta(hours=2)
FAILURE_LENGTH = 200
NOTICE_RETENTION = timedelta(days=90)
"""How long a notice is kept: far longer than an event could be relayed again."""


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """A notice to be queued."""

    key: str
    """What makes it one: a second notice with this key is not queued."""
    kind: NoticeKind
    channel: NoticeChannel
    recipient: str
    account_id: int | None = None
    language: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    verification_id: int | None = None


def channel_of(contact: str) -> NoticeChannel:
    """How a message reaches an e-mail address or a phone number."""
    return NoticeChannel.EMAIL if "@" in contact else NoticeChannel.SMS


def contact_of(account: Account) -> str | None:
    """Where an account is reached: a verified address before a verified number, then unverified ones."""
    if account.email and (account.email_verified_at or not account.phone_verified_at):
        return account.email
    return account.phone or account.email


async def find_contact(session: AsyncSession, account: Account) -> str | None:
    """Where an account is reached; a guest by the contact given with the order."""
    return (await find_contacts(session, [account])).get(account.id)


async def find_contacts(session: AsyncSession, accounts: Sequence[Account]) -> dict[int, str]:
    """As `find_contact`, of many; by the ids of those that are reached."""
    guest_ids = {account.id for account in accounts if account.role is Role.GUEST_BUYER}
    others = [account for account in accounts if account.id not in guest_ids]
    found: dict[int, str | None] = {account.id: contact_of(account) for account in others}
    if guest_ids:
        guests = await session.scalars(select(GuestAccount).where(GuestAccount.account_id.in_(guest_ids)))
        found |= {guest.account_id: guest.email or guest.phone for guest in guests}
    return {account_id: contact for account_id, contact in found.items() if contact}


async def queue_notice(session: AsyncSession, draft: NoticeDraft, *, now: datetime) -> None:
    """Queue a notice, which is sent if, and only if, this transaction commits; once for each key."""
    await queue_notices(session, [draft], now=now)


async def queue_notices(session: AsyncSession, drafts: Sequence[NoticeDraft], *, now: datetime) -> None:
    """As `queue_notice`, of many."""
    rows = [
        {
            "key": draft.key,
            "kind": draft.kind,
            "channel": draft.channel,
            "status": NoticeStatus.PENDING,
            "account_id": draft.account_id,
            "recipient": draft.recipient,
            "language": draft.language,
            "facts": dict(draft.facts),
            "verification_id": draft.verification_id,
            "attempts": 0,
            "due_at": now,
            "created_at": now,
        }
        for draft in drafts
    ]
    for batch in in_batches(rows):
        await session.execute(upsert_into(session, Notice).values(batch).on_conflict_do_nothing())


async def queue_account_notice(
    session: AsyncSession,
    account: Account,
    kind: NoticeKind,
    *,
    now: datetime,
    key: str,
    contact: str | None = None,
) -> None:
    """Tell an account something about itself, at `contact` or where it is reached."""
    recipient = contact or await find_contact(session, account)
    if recipient is None:
        return
    draft = NoticeDraft(
        key, kind, channel_of(recipient), recipient, account_id=account.id, language=account.language
    )
    await queue_notice(session, draft, now=now)


async def has_due_notices(session: AsyncSession, now: datetime) -> bool:
    """Whether any notice is due."""
    return await session.scalar(select(Notice.id).where(Notice.due_at <= now).limit(1)) is not None


async def claim_notices(
    session: AsyncSession, *, now: datetime, lease: timedelta, limit: int
) -> Sequence[Notice]:
    """Up to `limit` notices that are due, the longest due first; nobody else claims them within `lease`."""
    due = (
        select(Notice.id)
        .where(Notice.due_at <= now)
        .order_by(Notice.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = (await session.scalars(due)).all()
    if not ids:
        return []
    claimed = await session.scalars(
        update(Notice)
        .where(Notice.id.in_(ids), Notice.due_at <= now)
        .values(due_at=now + lease, attempts=Notice.attempts + 1)
        .returning(Notice)
    )
    return claimed.all()


async def mark_notice_sent(session: AsyncSession, notice_id: int, *, now: datetime) -> None:
    """Note that a notice was taken; one that was discarded meanwhile stays discarded."""
    notice = await lock_notice(session, notice_id)
    if notice.status is NoticeStatus.PENDING:
        end_notice(notice, NoticeStatus.SENT)
        notice.sent_at = now


async def discard_notice(session: AsyncSession, notice_id: int) -> None:
    """Send a notice no more; nothing happens to one that has ended."""
    notice = await lock_notice(session, notice_id)
    if notice.status is NoticeStatus.PENDING:
        end_notice(notice, NoticeStatus.DISCARDED)


async def note_failed_attempt(
    session: AsyncSession, notice_id: int, *, failure: str, now: datetime, final: bool
) -> NoticeStatus:
    """Try a notice again later, later each time; FAILED when trying again is of no use; the status."""
    notice = await lock_notice(session, notice_id)
    if notice.status is not NoticeStatus.PENDING:
        return notice.status
    notice.failure = failure[:FAILURE_LENGTH]
    if final or notice.attempts >= ATTEMPTS_LIMIT:
        end_notice(notice, NoticeStatus.FAILED)
    else:
        notice.due_at = now + pause_after(notice.attempts)
    return notice.status


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: twice as long each time, at most PAUSE_LIMIT."""
    doubled = FIRST_PAUSE * (1 << max(attempts - 1, 0))
    return min(doubled, PAUSE_LIMIT)


def select_old_notices(now: datetime) -> AnySelect:
    """The ids of notices that ended NOTICE_RETENTION ago, and bring no code."""
    return (
        select(Notice.id)
        .where(Notice.created_at <= now - NOTICE_RETENTION, Notice.due_at.is_(None))
        .order_by(Notice.id)
    )


async def delete_old_notice(session: AsyncSession, notice_id: int, *, now: datetime) -> None:
    await session.execute(
        delete(Notice).where(
            Notice.id == notice_id, Notice.created_at <= now - NOTICE_RETENTION, Notice.due_at.is_(None)
        )
    )


def end_notice(notice: Notice, status: NoticeStatus) -> None:
    move(notice, status, TRANSITIONS)
    notice.due_at = None


async def lock_notice(session: AsyncSession, notice_id: int) -> Notice:
    return await session.get_one(Notice, notice_id, with_for_update=True, populate_existing=True)
