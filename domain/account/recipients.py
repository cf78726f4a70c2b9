"""Telling a customer something by all channels that reach them."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notice import NoticeDraft, channel_of, find_contact, queue_notice
from models import Account, DeviceToken, NoticeChannel, NoticeKind


async def queue_customer_notice(
    session: AsyncSession,
    account: Account,
    kind: NoticeKind,
    *,
    key: str,
    facts: Mapping[str, str],
    now: datetime,
) -> None:
    """Queue a notice to where the account is reached, and one to each device with a token; each once."""
    contact = await find_contact(session, account)
    recipients = [(channel_of(contact), contact, "")] if contact else []
    devices = await session.scalars(select(DeviceToken).where(DeviceToken.account_id == account.id))
    recipients += [(NoticeChannel.PUSH, each.token, f":{each.id}") for each in devices]
    for channel, recipient, suffix in recipients:
        draft = NoticeDraft(
            f"{key}:{channel.value}{suffix}",
            kind,
            channel,
            recipient,
            account_id=account.id,
            language=account.language,
            facts=facts,
        )
        await queue_notice(session, draft, now=now)
