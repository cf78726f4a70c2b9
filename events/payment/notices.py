"""Taking what providers tell by themselves: once, whatever order it comes in."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment import (
    PaymentMismatch,
    record_dispute,
    register_notification,
    register_sending,
    settle_attempt,
)
from events.payment.recorded import record_notice
from events.payment.refunds import apply_refund_report
from events.types import Resources
from gateways.payment.provider import (
    DisputeNotice,
    Ignored,
    Notice,
    NoticeRefused,
    PaymentNotice,
    PaymentProvider,
    RefundNotice,
    Verdict,
)

log = structlog.get_logger()


async def take_notice(resources: Resources, provider: PaymentProvider, notice: Notice) -> Verdict:
    """Follow a verified notice; what makes it unique and what it causes are written in one transaction.

    NoticeRefused where it does not fit what the shop knows.
    """
    if isinstance(notice, Ignored):
        log.info("payment.notification_ignored", provider=provider.method, reason=notice.reason)
        return Verdict.ACCEPTED
    try:
        verdict = await take_once(resources, provider, notice)
    except NoticeRefused as refusal:
        await record_notice(resources, provider.method, notice, refusal=str(refusal))
        raise
    await record_notice(resources, provider.method, notice)
    return verdict


async def take_once(
    resources: Resources, provider: PaymentProvider, notice: PaymentNotice | RefundNotice | DisputeNotice
) -> Verdict:
    cause = Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        try:
            if not isinstance(notice, DisputeNotice) and notice.nonce:
                await register_sending(session, method=provider.method, nonce=notice.nonce, now=cause.now)
            if not await register_notification(
                session, method=provider.method, nonce=notice.notice_id, now=cause.now
            ):
                log.info("payment.notification_repeated", provider=provider.method)
                return Verdict.REPEATED
            await follow(session, resources, provider, notice, cause=cause)
        except PaymentMismatch as mismatch:
            raise NoticeRefused(str(mismatch)) from mismatch
    resources.wake_relay()
    return Verdict.ACCEPTED


async def follow(
    session: AsyncSession,
    resources: Resources,
    provider: PaymentProvider,
    notice: PaymentNotice | RefundNotice | DisputeNotice,
    *,
    cause: Cause,
) -> None:
    if isinstance(notice, PaymentNotice):
        await settle_attempt(session, method=provider.method, report=notice.report, cause=cause)
    elif isinstance(notice, RefundNotice):
        await apply_refund_report(session, resources, provider.method, notice.report, cause=cause)
    else:
        await record_dispute(session, provider.method, notice.report, cause)
