"""What takes a certificate: tickets of a type, refunds above an amount."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.assignment import assign_ticket
from domain.aftersales.decisions import agree_ticket
from domain.cause import Cause
from domain.errors import Conflict, Invalid
from domain.payment import refund_in_goodwill
from domain.training import (
    CertificateRequired,
    GuardedTask,
    NobodyCertified,
    RequirementDraft,
    holders_of,
    remove_requirement,
    save_requirement,
    withdraw_course,
)
from models import (
    Account,
    CertificateRequirement,
    Course,
    CurrencyCode,
    Money,
    OrderStatus,
    Role,
    TicketStatus,
    TicketType,
)
from tests.factories.account import create_account
from tests.factories.aftersales import DEADLINES, create_ticket
from tests.factories.order import NOW, create_order
from tests.factories.training import certify, create_course, create_learner

DAY = timedelta(days=1)
RETURNS = GuardedTask(ticket_type=TicketType.RETURN_REFUND)


def fen(amount: int) -> Money:
    return Money(amount, CurrencyCode.CNY)


async def require(
    session: AsyncSession,
    course: Course,
    *,
    ticket_type: TicketType | None = TicketType.RETURN_REFUND,
    above: Money | None = None,
    force: bool = False,
) -> CertificateRequirement:
    draft = RequirementDraft(course.id, None if above else ticket_type, above)
    return await save_requirement(session, None, draft, version=None, force=force, cause=Cause(NOW))


async def create_staff(session: AsyncSession) -> tuple[Course, Account, Account, Account]:
    """A course, somebody who has passed it, somebody who has not, and a manager who has not."""
    course, certified = await create_course(session, now=NOW), await create_learner(session)
    await certify(session, course, certified, now=NOW)
    manager = await create_account(session, role=Role.MANAGER)
    return course, certified, await create_learner(session), manager


async def test_a_ticket_is_only_given_to_who_holds_the_certificate_of_its_type_or_manages(
    session: AsyncSession,
) -> None:
    course, certified, other, manager = await create_staff(session)
    await require(session, course)
    ticket = await create_ticket(session, type=TicketType.RETURN_REFUND, status=TicketStatus.APPLIED)

    with pytest.raises(CertificateRequired, match="The law of returns") as refused:
        await assign_ticket(session, ticket.id, other.id, cause=Cause(NOW, manager.id))
    assert (refused.value.field, ticket.assignee_id) == (("assignee_id",), None)
    for account in (certified, manager):
        await assign_ticket(session, ticket.id, account.id, cause=Cause(NOW, manager.id))
        assert ticket.assignee_id == account.id


async def test_a_ticket_is_only_agreed_to_by_who_holds_the_certificate_and_by_the_shop_itself(
    session: AsyncSession,
) -> None:
    course, certified, other, _ = await create_staff(session)
    await require(session, course)
    tickets = [
        await create_ticket(session, type=TicketType.RETURN_REFUND, status=TicketStatus.APPLIED)
        for _ in range(2)
    ]

    with pytest.raises(CertificateRequired):
        await agree_ticket(session, tickets[0].id, DEADLINES, cause=Cause(NOW, other.id))
    assert tickets[0].status is TicketStatus.APPLIED
    await agree_ticket(session, tickets[0].id, DEADLINES, cause=Cause(NOW, certified.id))
    await agree_ticket(session, tickets[1].id, DEADLINES, cause=Cause(NOW))

    assert {ticket.status for ticket in tickets} == {TicketStatus.AWAITING_RETURN}


async def test_refunds_above_the_amount_take_the_certificate_also_in_parts(session: AsyncSession) -> None:
    course, certified, other, _ = await create_staff(session)
    await require(session, course, above=fen(500))
    order = await create_order(session, status=OrderStatus.COMPLETED)

    async def refund(account: Account, amount: int, key: str) -> None:
        await refund_in_goodwill(
            session, order.id, fen(amount), reason="Late.", key=key, cause=Cause(NOW, account.id)
        )

    await refund(other, 500, "first")
    with pytest.raises(CertificateRequired) as refused:
        await refund(other, 1, "second")
    assert refused.value.field == ("amount",)
    await refund(certified, 1, "third")


async def test_a_certificate_counts_for_nothing_once_it_is_over_or_its_holder_has_left(
    session: AsyncSession,
) -> None:
    course, certified, other, manager = await create_staff(session)
    await require(session, course)
    all_ids = [certified.id, other.id, manager.id]

    in_time = await holders_of(session, RETURNS, all_ids, now=NOW + 99 * DAY)
    too_late = await holders_of(session, RETURNS, all_ids, now=NOW + 100 * DAY)
    certified.disabled_at = NOW
    left = await holders_of(session, RETURNS, all_ids, now=NOW)
    of_other_types = await holders_of(session, GuardedTask(ticket_type=TicketType.EXCHANGE), all_ids, now=NOW)

    assert in_time == {certified.id, manager.id}
    assert too_late == left == {manager.id}
    assert of_other_types == set(all_ids)


async def test_what_nobody_could_do_is_required_only_by_force(session: AsyncSession) -> None:
    course = await create_course(session)
    warehouse = await create_account(session, role=Role.WAREHOUSE)
    await certify(session, course, warehouse, now=NOW)  # who may not handle tickets

    with pytest.raises(NobodyCertified):
        await require(session, course)
    row = await require(session, course, force=True)

    assert (row.key, row.version) == (f"TICKETS:RETURN_REFUND:{course.id}", 1)


async def test_the_same_requirement_is_one_and_changes_its_amount(session: AsyncSession) -> None:
    course, *_ = await create_staff(session)
    first = await require(session, course, above=fen(500))
    again = await require(session, course, above=fen(900))

    assert again.id == first.id
    assert (again.refunds_above, again.version) == (fen(900), 2)
    draft = RequirementDraft(course.id, limit=fen(1))
    with pytest.raises(Conflict):
        await save_requirement(session, first.id, draft, version=1, force=False, cause=Cause(NOW))
    with pytest.raises(Invalid):
        await save_requirement(
            session, None, RequirementDraft(course.id), version=None, force=True, cause=Cause(NOW)
        )


async def test_a_course_is_not_withdrawn_while_its_certificate_is_required(session: AsyncSession) -> None:
    course, *_ = await create_staff(session)
    row = await require(session, course)

    with pytest.raises(Conflict):
        await withdraw_course(session, course.id, cause=Cause(NOW))
    await remove_requirement(session, row.id)
    await withdraw_course(session, course.id, cause=Cause(NOW))

    assert course.withdrawn_at == NOW
