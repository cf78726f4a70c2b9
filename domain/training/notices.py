"""What holders of certificates are told: that one expires, is to be renewed, or counts no more."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.recipients import CustomerNotice, queue_customer_notices
from domain.training.certificates import RENEWAL_NOTICE_BEFORE, deadline_of, lock_certificate, remind_at
from models import Account, Certificate, CertificateStatus, Course, NoticeKind
from models.sql.types import AnySelect
from text.messages import Localized, choose_language
from text.messages.facts import format_fact

KINDS: Mapping[CertificateStatus, NoticeKind] = {
    CertificateStatus.VALID: NoticeKind.CERTIFICATE_EXPIRES,
    CertificateStatus.RENEWAL_DUE: NoticeKind.CERTIFICATE_RENEWAL,
    CertificateStatus.EXPIRED: NoticeKind.CERTIFICATE_ENDED,
    CertificateStatus.LAPSED: NoticeKind.CERTIFICATE_ENDED,
    CertificateStatus.REVOKED: NoticeKind.CERTIFICATE_ENDED,
}
"""What is told of a certificate in a status; of a renewed one nothing is."""


def select_due_notices(now: datetime) -> AnySelect:
    """The ids of certificates of which something is to be told, the longest due first."""
    return select(Certificate.id).where(Certificate.notice_at <= now).order_by(Certificate.notice_at)


async def tell_holder(
    session: AsyncSession, certificate_id: int, *, zone: tzinfo, default_language: str, now: datetime
) -> None:
    """Queue what the holder of a certificate is to be told, once; nobody tells who has left."""
    certificate = await lock_certificate(session, certificate_id)
    moment = certificate.notice_at
    if moment is None or moment > now:
        return
    certificate.notice_at = None
    if certificate.status is CertificateStatus.RENEWAL_DUE:
        certificate.notice_at = remind_at(now, deadline_of(certificate), RENEWAL_NOTICE_BEFORE)
    account = await session.get_one(Account, certificate.account_id)
    kind = KINDS.get(certificate.status)
    if kind is None or account.disabled_at is not None:
        return
    course = await session.get_one(Course, certificate.course_id)
    language = choose_language(account.language, default_language)
    notice = CustomerNotice(
        account,
        kind,
        key=f"certificate:{certificate.id}:{certificate.status}:{moment.isoformat()}",
        facts={
            "course": Localized.of(course.title, course.translations, "title").text(language),
            "due": format_fact(deadline_of(certificate), language, zone),
        },
    )
    await queue_customer_notices(session, [notice], now=now)
