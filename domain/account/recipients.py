"""Telling customers something by all channels that reach them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notice import NoticeDraft, channel_of, find_contacts, queue_notices
from models import Account, DeviceToken, NoticeChannel, NoticeKind


@dataclass(frozen=True, slots=True)
class CustomerNotice:
    """What an account is told."""

    account: Account
    kind: NoticeKind
    key: str
    """What makes it one: it is queued once for each place where the account is reached."""
    facts: Mapping[str, str]


async def load_customers(session: AsyncSession, account_ids: Collection[int]) -> dict[int, Account]:
    """Accounts by their ids."""
    accounts = await session.scalars(select(Account).where(Account.id.in_(account_ids)))
    return {account.id: account for account in accounts}


async def queue_customer_notices(
    session: AsyncSession, notices: Sequence[CustomerNotice], *, now: datetime
) -> None:
    """Queue each notice to where its account is reached, and one to each device with a token; each once."""
    accounts = {notice.account.id: notice.account for notice in notices}
    if not accounts:
        return
    contacts = await find_contacts(session, list(accounts.values()))
    devices = defaultdict[int, list[DeviceToken]](list)
    for device in await session.scalars(select(DeviceToken).where(DeviceToken.account_id.in_(accounts))):
        devices[device.account_id].append(device)
    drafts = []
    for notice in notices:
        contact = contacts.get(notice.account.id)
        recipients = [(channel_of(contact), contact, "")] if contact else []
        recipients += [(NoticeChannel.PUSH, each.token, f":{each.id}") for each in devices[notice.account.id]]
        drafts += [
            NoticeDraft(
                f"{notice.key}:{channel.value}{suffix}",
                notice.kind,
                channel,
                recipient,
                account_id=notice.account.id,
                language=notice.account.language,
                facts=notice.facts,
            )
            for channel, recipient, suffix in recipients
        ]
    await queue_notices(session, drafts, now=now)
