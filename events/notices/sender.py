"""Sending queued notices: each is claimed, written, handed over with no transaction open, and marked."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import find_account_by_contact
from domain.account.devices import delete_device_token, has_device_token
from domain.account.guests import find_guest_sign_in
from domain.notice import (
    claim_notices,
    discard_notice,
    has_due_notices,
    mark_notice_sent,
    note_failed_attempt,
)
from domain.pickup import find_pickup, pickup_subject
from events.notices.texts import write_text
from events.shop import Shop
from gateways.notice import NoticeMessage, NoticeRefused, NoticeUnavailable
from gateways.secrets import derive_code
from gateways.tokens import AccessToken, write_token
from models import (
    Notice,
    NoticeChannel,
    NoticeKind,
    NoticeStatus,
    PickupStatus,
    Role,
    SignIn,
    Verification,
)
from text.messages import choose_language

log = structlog.get_logger()

BATCH = 20
"""Notices that one process sends at the same time."""
LEASE = timedelta(minutes=2)
"""After this time another process takes over a notice that was claimed and not marked: longer than any
gateway waits."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """Which text a notice has, with the code it brings."""

    name: str
    code: str = ""
    minutes: str = ""
    secret: str = field(default="", repr=False)


class NoticeSender:
    """Sends what is due until cancelled. One per process; a claim keeps others from the same notice.

    A notice is handed over once, unless the process is killed between the hand-over and the mark: then the
    same id is handed over again.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.pause_seconds = shop.settings.jobs.relay_interval.total_seconds()
        self.committed = asyncio.Event()
        shop.on_commit.append(self.committed.set)

    async def run(self) -> None:
        while True:
            self.committed.clear()
            try:
                full = await self.run_once() == BATCH
            except Exception:
                log.exception("notices.failed")
                full = False
            if not full:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.pause_seconds):
                        await self.committed.wait()

    async def run_once(self) -> int:
        """Send a batch of what is due; returns its size."""
        notices = await self.claim()
        await asyncio.gather(*map(self.send, notices))
        return len(notices)

    async def claim(self) -> Sequence[Notice]:
        now, database = self.shop.clock(), self.shop.database
        async with database.reads() as session:
            if not await has_due_notices(session, now):
                return []  # an idle sender only reads
        async with database.writes.begin() as session:
            return await claim_notices(session, now=now, lease=LEASE, limit=BATCH)

    async def send(self, notice: Notice) -> None:
        gateway = self.shop.notices.get(notice.channel)
        try:
            message = await self.write(notice)
            if message is None:
                await self.discard(notice)
            elif gateway is None:
                await self.fail(notice, f"no gateway for {notice.channel.value}", final=True)
            else:
                with self.shop.calls.observe("notice", notice.channel.value, "send", NoticeRefused):
                    await gateway.send(message)
                await self.mark_sent(notice)
        except NoticeUnavailable as error:
            await self.fail(notice, str(error), final=False)
        except NoticeRefused as error:
            await self.fail(notice, str(error), final=True)
            if error.recipient_gone and notice.channel is NoticeChannel.PUSH:
                async with self.shop.database.writes.begin() as session:
                    await delete_device_token(session, notice.recipient)
        except Exception as error:
            log.exception("notice.error", notice=notice.id, kind=notice.kind.value)
            await self.fail(notice, type(error).__name__, final=False)

    async def write(self, notice: Notice) -> NoticeMessage | None:
        """The message; None when it is not to be sent any more."""
        text = await self.choose_text(notice)
        if text is None:
            return None
        settings = self.shop.settings
        language = choose_language(notice.language, settings.locale.default_language)
        facts = notice.facts | {
            "shop": settings.notices.shop_name,
            "code": text.code,
            "minutes": text.minutes,
            "secret": text.secret,
        }
        title, body = write_text(text.name, language, facts)
        return NoticeMessage(
            f"notice-{notice.id}", notice.kind, notice.channel, notice.recipient, language, title, body
        )

    async def choose_text(self, notice: Notice) -> NoticeText | None:
        """Whoever has an account already gets no code to register; whoever has none gets none to reset."""
        async with self.shop.database.reads() as session:
            if notice.channel is NoticeChannel.PUSH:
                known = await has_device_token(session, notice.recipient, account_id=notice.account_id)
                if not known:
                    return None
                if notice.kind is NoticeKind.PICKUP_READY:
                    return await self.write_pickup(session, notice)
                return NoticeText(notice.kind.value)
            if notice.kind is NoticeKind.ORDER_SECRET:
                sign_in = await find_guest_sign_in(session, notice.facts["number"], notice.recipient)
                return NoticeText(notice.kind.value, secret=self.secret_of(sign_in)) if sign_in else None
            if notice.kind is NoticeKind.PICKUP_READY:
                return await self.write_pickup(session, notice)
            if notice.verification_id is None:
                return NoticeText(notice.kind.value)
            verification = await session.get(Verification, notice.verification_id)
            owner = await find_account_by_contact(session, notice.recipient)
        now = self.shop.clock()
        if verification is None or verification.used_at or verification.expires_at <= now:
            return None
        if notice.kind is NoticeKind.REGISTRATION and owner:
            return NoticeText("REGISTRATION_KNOWN")
        if notice.kind is NoticeKind.CONTACT_CHANGE and owner and owner.id != notice.account_id:
            return NoticeText("CONTACT_CHANGE_KNOWN")
        if notice.kind is NoticeKind.PASSWORD_RESET and (owner is None or owner.disabled_at):
            return None
        minutes = -int(-(verification.expires_at - now).total_seconds() // 60)
        code = derive_code(
            self.shop.settings.signing_key(),
            verification.purpose.value,
            verification.contact,
            verification.nonce,
        )
        return NoticeText(notice.kind.value, code, str(minutes))

    async def write_pickup(self, session: AsyncSession, notice: Notice) -> NoticeText | None:
        """The code of what can be collected; None where it was collected meanwhile."""
        pickup = await find_pickup(session, int(notice.facts["delivery"]))
        if pickup is None or pickup.status is not PickupStatus.READY:
            return None
        code = derive_code(self.shop.settings.signing_key(), *pickup_subject(pickup))
        return NoticeText(notice.kind.value, code)

    def secret_of(self, sign_in: SignIn) -> str:
        """The secret that opens a guest's order; it is stored nowhere."""
        token = AccessToken(sign_in.account_id, Role.GUEST_BUYER, sign_in.family, sign_in.expires_at)
        return write_token(self.shop.settings.signing_key(), token, now=self.shop.clock())

    async def mark_sent(self, notice: Notice) -> None:
        async with self.shop.database.writes.begin() as session:
            await mark_notice_sent(session, notice.id, now=self.shop.clock())
        log.info("notice.sent", notice=notice.id, kind=notice.kind.value, channel=notice.channel.value)

    async def discard(self, notice: Notice) -> None:
        async with self.shop.database.writes.begin() as session:
            await discard_notice(session, notice.id)

    async def fail(self, notice: Notice, failure: str, *, final: bool) -> None:
        async with self.shop.database.writes.begin() as session:
            status = await note_failed_attempt(
                session, notice.id, failure=failure, now=self.shop.clock(), final=final
            )
        report = log.error if status is NoticeStatus.FAILED else log.warning
        report(
            "notice.given_up" if status is NoticeStatus.FAILED else "notice.postponed",
            notice=notice.id,
            kind=notice.kind.value,
            channel=notice.channel.value,
            attempts=notice.attempts,
            failure=failure,
        )
