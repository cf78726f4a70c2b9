"""E-mail addresses of accounts that were stored before they had one spelling."""

from dataclasses import dataclass

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.contact import normalize_email
from domain.errors import Invalid
from models import Account

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class NormalizedEmails:
    """What was done with a batch of accounts; `last`: the id of its last one, None when there was none."""

    last: int | None
    changed: int
    kept: tuple[int, ...]
    """Ids of the accounts whose address stays as it was: another account has the one it would become, or it
    would be refused today."""


async def normalize_stored_emails(session: AsyncSession, after: int) -> NormalizedEmails:
    """Bring the e-mail addresses of the next BATCH accounts into the spelling in which they are looked for.

    Of two accounts whose addresses become one, that which has it already keeps it, else the older one.
    """
    rows = await session.execute(
        select(Account.id, Account.email).where(Account.id > after).order_by(Account.id).limit(BATCH)
    )
    last, changed, kept = None, 0, []
    for account_id, email in rows:
        last = account_id
        if email is None or (normal := normal_spelling(email)) == email:
            continue
        if normal is not None and await change_spelling(session, account_id, email, normal):
            changed += 1
        else:
            kept.append(account_id)
    return NormalizedEmails(last, changed, tuple(kept))


def normal_spelling(email: str) -> str | None:
    """The address as it is stored today; None for one that would be refused."""
    try:
        return normalize_email(email)
    except Invalid:
        return None


async def change_spelling(session: AsyncSession, account_id: int, email: str, normal: str) -> bool:
    """Store another spelling of an address; False where an account has it, or the address was changed."""
    other = aliased(Account)
    changed = await session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.email == email)
        .where(~exists().where(other.email == normal))
        .values(email=normal)
        .returning(Account.id)
    )
    return changed is not None
