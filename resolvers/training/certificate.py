"""Certificates, and what takes one."""

from collections.abc import Sequence

import strawberry

from domain.training import RequirementDraft, remove_requirement, revoke_certificate, save_requirement
from domain.training.requirements import WORK
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.training import (
    NEWEST_CERTIFICATE,
    list_requirements,
    load_holders_of_courses,
    select_certificates,
)
from models import (
    Account,
    Article,
    Certificate,
    CertificateRequirement,
    CertificateStatus,
    TicketType,
    is_granted,
)
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id, row_id_or_zero
from resolvers.inputs.money import MoneyInput
from resolvers.knowledge.article import visible_article
from resolvers.paging import query_page
from resolvers.training.quiz import is_visible, visible_account


async def certificates(
    info: Info,
    course_id: strawberry.ID | None = None,
    account_id: strawberry.ID | None = None,
    status: CertificateStatus | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Certificate]:
    """Certificates, the newest first: the viewer's own, for managers all. Those with RENEWAL_DUE are tasks of
    their holders, with a deadline.

    course_id: only of this course
    account_id: only of this account
    status: only with this status
    """
    statement = select_certificates(
        course_id=row_id(course_id, "Course", field=("course_id",)) if course_id else None,
        account_id=visible_account(info, account_id),
        status=status,
    )
    return await query_page(info, statement, NEWEST_CERTIFICATE, page)


async def find_certificate(info: Info, certificate_id: int) -> Certificate | None:
    """The certificate, if it is the viewer's own or they see all."""
    if not info.context.viewer.may(Permission.TRAINING_TAKE):
        return None
    found = await info.context.load.certificate.load(certificate_id)
    return found if found is not None and is_visible(info, found.account_id) else None


async def find_certificate_requirement(info: Info, requirement_id: int) -> CertificateRequirement | None:
    """The requirement, for all who can take courses."""
    if not info.context.viewer.may(Permission.TRAINING_TAKE):
        return None
    return await info.context.load.certificate_requirement.load(requirement_id)


async def certificate_revoke(info: Info, id: strawberry.ID, reason: str) -> Certificate:
    """Takes back a certificate that counts; its holder is told.

    id: the certificate
    reason: why, as its holder reads it
    """
    async with info.context.transaction() as session:
        return await revoke_certificate(
            session, row_id(id, "Certificate"), reason=reason, cause=info.context.cause
        )


async def certificate_requirements(info: Info) -> Sequence[CertificateRequirement]:
    """What takes a certificate, in the order in which it was required."""
    return await list_requirements(info.context.shop.database.reads)


async def certificate_requirement_save(
    info: Info,
    course_id: strawberry.ID,
    ticket_type: TicketType | None = None,
    refunds_above: MoneyInput | None = None,
    id: strawberry.ID | None = None,
    version: int | None = None,
    force: bool = False,
) -> CertificateRequirement:
    """Requires a certificate of whoever handles tickets of a type, or approves refunds above an amount; the
    same requirement again changes its amount. Managers always may. NOBODY_CERTIFIED where nobody
    who could do it holds the certificate.

    course_id: the course
    ticket_type: tickets of this type; or `refundsAbove`
    refunds_above: refunds of more than this, in its currency; or `ticketType`
    id: the requirement to change
    version: the version you have read; CONFLICT when somebody changed it since
    force: require it although nobody holds the certificate
    """
    context = info.context
    draft = RequirementDraft(
        row_id_or_zero(course_id, "Course"),
        ticket_type,
        refunds_above.money(field=("refunds_above",)) if refunds_above is not None else None,
    )
    requirement_id = row_id(id, "CertificateRequirement") if id is not None else None
    async with context.transaction() as session:
        return await save_requirement(
            session, requirement_id, draft, version=version, force=force, cause=context.cause
        )


async def certificate_requirement_remove(info: Info, id: strawberry.ID) -> CertificateRequirement:
    """Requires a certificate no more.

    id: the requirement
    """
    async with info.context.transaction() as session:
        return await remove_requirement(session, row_id(id, "CertificateRequirement"))


async def holders(requirements: Sequence[CertificateRequirement], info: Info) -> Sequence[Sequence[Account]]:
    """Who of the staff may do it by their certificate, besides managers, who always may; none for all but
    managers."""
    if not info.context.viewer.may(Permission.TRAINING_MANAGE):
        return [()] * len(requirements)
    course_ids = [each.course_id for each in requirements]
    found = await load_holders_of_courses(info.context.shop.database.reads, course_ids, info.context.now)
    return [
        [account for account in found.get(each.course_id, ()) if is_granted(WORK[each.subject], account.role)]
        for each in requirements
    ]


async def changed_article(certificates: Sequence[Certificate], info: Info) -> Sequence[Article | None]:
    """The article whose change is to be learned; null where the course has changed, or nothing."""
    ids = [each.changed_article_id for each in certificates if each.changed_article_id is not None]
    rows = await info.context.load.article.load_many(ids)
    found = {row.id: row for row in rows if row and visible_article(info, row)}
    return [found.get(each.changed_article_id or 0) for each in certificates]
