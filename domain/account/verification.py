"""One-time codes: asked for with an answer that is always the same, and used once, within minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.refusals import WrongCredentials
from domain.contact import normalize_login
from domain.errors import Invalid
from domain.notice import NoticeDraft, channel_of, queue_notice
from models import Notice, NoticeKind, Verification, VerificationPurpose
from models.sql.types import AnySelect

CODE_LIFETIME = timedelta(minutes=10)
TRIES_LIMIT = 5
"""Codes that may be tried for one verification; a code has six digits."""
VERIFICATION_RETENTION = timedelta(days=1)
"""How long a verification is kept after it has expired."""


class WrongCode(WrongCredentials):
    def __init__(self) -> None:
        super().__init__("This is not the right code, or it is no longer valid.", field=("code",))


@dataclass(frozen=True, slots=True)
class VerificationDraft:
    """What somebody asks a one-time code for; `name` and `password_hash` are of an account to be made."""

    purpose: VerificationPurpose
    contact: str
    token_hash: str
    nonce: str
    language: str
    account_id: int | None = None
    name: str | None = None
    password_hash: str | None = None


def check_contact(text: str, *, field: str = "contact") -> str:
    """An e-mail address or phone number as it is stored; Invalid for what is neither."""
    contact = normalize_login(text)
    if contact is None:
        raise Invalid("This is neither an e-mail address nor a phone number.", field=(field,))
    return contact


async def start_verification(
    session: AsyncSession, draft: VerificationDraft, *, now: datetime
) -> Verification:
    """Store a verification and queue its code.

    The same statements run whether or not there is an account with this contact: who gets a code, and who
    something else, is decided when the notice is sent.
    """
    verification = Verification(
        token_hash=draft.token_hash,
        purpose=draft.purpose,
        contact=draft.contact,
        nonce=draft.nonce,
        account_id=draft.account_id,
        tries=0,
        created_at=now,
        expires_at=now + CODE_LIFETIME,
        used_at=None,
        name=draft.name,
        password_hash=draft.password_hash,
        language=draft.language,
    )
    session.add(verification)
    await session.flush()
    notice = NoticeDraft(
        key=f"verification:{verification.id}",
        kind=NoticeKind(draft.purpose.value),
        channel=channel_of(draft.contact),
        recipient=draft.contact,
        language=draft.language,
        account_id=draft.account_id,
        verification_id=verification.id,
    )
    await queue_notice(session, notice, now=now)
    return verification


async def use_code(
    session: AsyncSession,
    token_hash: str,
    purpose: VerificationPurpose,
    *,
    is_right: Callable[[Verification], bool],
    now: datetime,
) -> Verification | None:
    """Count a try of a code; the verification if it is right, which it is only once. None otherwise.

    Commit it either way, so that each try counts.
    """
    verification = await session.scalar(
        select(Verification)
        .where(Verification.token_hash == token_hash, Verification.purpose == purpose)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if verification is None or verification.used_at or verification.expires_at <= now:
        return None
    if verification.tries >= TRIES_LIMIT:
        return None
    verification.tries += 1
    if not is_right(verification):
        return None
    verification.used_at = now
    return verification


def is_expired_verification(now: datetime) -> ColumnElement[bool]:
    """Whether a verification is kept no longer."""
    return Verification.expires_at <= now - VERIFICATION_RETENTION


def select_expired_verifications(now: datetime) -> AnySelect:
    """The ids of verifications to delete."""
    return select(Verification.id).where(is_expired_verification(now)).order_by(Verification.expires_at)


async def start_download(
    session: AsyncSession, account_id: int, token_hash: str, *, now: datetime
) -> Verification:
    """Store the token of a link that can be opened once, within CODE_LIFETIME."""
    verification = Verification(
        token_hash=token_hash,
        purpose=VerificationPurpose.EXPORT,
        contact="",
        nonce="",
        account_id=account_id,
        tries=0,
        created_at=now,
        expires_at=now + CODE_LIFETIME,
        used_at=None,
        name=None,
        password_hash=None,
        language=None,
    )
    session.add(verification)
    await session.flush()
    return verification


async def delete_verifications(session: AsyncSession, condition: ColumnElement[bool]) -> None:
    """Delete verifications with the notices that brought their codes."""
    ids = select(Verification.id).where(condition)
    await session.execute(delete(Notice).where(Notice.verification_id.in_(ids)))
    await session.execute(delete(Verification).where(condition))
