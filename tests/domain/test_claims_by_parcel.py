"""Claims are counted by the parcel that units came in: windows, what was not received, and by which terms."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import refuse_ticket
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.policies import ClaimPolicyDraft, save_claim_policy
from domain.aftersales.quote import TicketQuote
from domain.aftersales.reasons import CLAIM_REASONS
from domain.aftersales.requests import TicketRequest, TicketRequestChange, open_ticket, reapply_ticket
from domain.aftersales.rules import ClaimedUnits, NotEligible, TicketClaim, TicketObstacle
from domain.cause import Cause
from domain.errors import Conflict, Invalid
from domain.order import confirm_receipt
from events.shop import Shop
from models import (
    ClaimExclusion,
    ClaimPolicy,
    Order,
    OrderLine,
    OrderStatus,
    Refund,
    Shipment,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.aftersales import (
    DEADLINES,
    create_ticket,
    order_lines_of,
    order_of_three,
    quote_lines,
    ticket_events,
)
from tests.factories.catalog import create_category, create_product, variant_of
from tests.factories.order import CHENGDU, HANGZHOU, NOW, arrive, create_order, deliver_to, dispatch

DAY = timedelta(days=1)
S, T, R, X = TicketStatus, TicketType, TicketReason, TicketObstacle


async def order_in_two_parcels(session: AsyncSession) -> tuple[Order, OrderLine, list[Shipment]]:
    """Two units to Hangzhou, which arrive now, and two to Chengdu, which arrive five days later."""
    variant = await variant_of(session, await create_product(session, title="Teapot"))
    deliveries = [deliver_to(HANGZHOU, [(variant, 2)]), deliver_to(CHENGDU, [(variant, 2)])]
    order = await create_order(
        session, status=OrderStatus.CONFIRMED, lines=[(variant, 4)], deliveries=deliveries
    )
    shipments = await dispatch(session, order)
    for shipment, days in zip(shipments, (0, 5), strict=True):
        await arrive(session, shipment, now=NOW + days * DAY)
    return order, (await order_lines_of(session, order))[0], shipments


async def test_each_parcel_has_a_window_of_its_own(shop: Shop, session: AsyncSession) -> None:
    order, line, _ = await order_in_two_parcels(session)

    all_of_it = await quote_lines(session, order, [(line, 4)], reason=R.NO_REASON, after=6 * DAY)
    rest = await quote_lines(session, order, [(line, 2)], reason=R.NO_REASON, after=10 * DAY)
    too_many = await quote_lines(session, order, [(line, 3)], reason=R.NO_REASON, after=10 * DAY)
    await session.commit()

    assert (all_of_it.eligible, all_of_it.deadline) == (True, end_of(2026, 3, 8))
    assert (rest.eligible, rest.deadline, rest.lines[0].left) == (True, end_of(2026, 3, 13), 2)
    assert too_many.obstacle is not None
    assert too_many.obstacle.obstacle is X.WINDOW_CLOSED
    assert str(too_many.obstacle).startswith("Only 2 of Teapot can still be asked for")


def end_of(year: int, month: int, day: int) -> datetime:
    """The last moment of a day in Shanghai."""
    return datetime(year, month, day, 16, tzinfo=UTC) - timedelta(microseconds=1)


async def test_units_of_a_closed_window_stay_closed_when_others_are_claimed(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, _ = await order_in_two_parcels(session)
    for units, days in ((1, 1), (2, 10)):
        await create_ticket(
            session, order=order, lines=[(line, units)], reason=R.NO_REASON, now=NOW + days * DAY
        )

    rest = await quote_lines(session, order, [(line, 1)], reason=R.NO_REASON, after=10 * DAY)
    await session.commit()

    assert rest.obstacle is not None
    assert rest.obstacle.obstacle is X.WINDOW_CLOSED


async def test_confirming_receipt_later_does_not_lengthen_a_window(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    for shipment in await dispatch(session, order):
        await arrive(session, shipment)
    await confirm_receipt(session, order.id, cause=Cause(NOW + 9 * DAY, order.account_id))

    quote = await quote_lines(session, order, [(line, 1)], reason=R.NO_REASON, after=9 * DAY)
    await session.commit()

    assert quote.obstacle is not None
    assert quote.obstacle.obstacle is X.WINDOW_CLOSED
    assert quote.deadline == end_of(2026, 3, 8)


# --- not received


async def test_a_parcel_is_not_received_a_day_after_the_time_it_was_promised_for(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    [shipment] = await dispatch(session, order)

    async def report_lost(after: timedelta) -> TicketQuote:
        return await quote_lines(
            session, order, [(line, 1)], type=T.REFUND_ONLY, reason=R.NOT_RECEIVED, after=after
        )

    unknown = await report_lost(timedelta())
    shipment.estimated_at = NOW + 2 * DAY
    early = await report_lost(3 * DAY - timedelta(seconds=1))
    in_time = await report_lost(3 * DAY)
    await session.commit()

    assert unknown.opens_at == NOW + 8 * DAY
    assert early.obstacle is not None
    assert (early.obstacle.obstacle, early.opens_at) == (X.TOO_EARLY, NOW + 3 * DAY)
    assert str(early.obstacle) == "Teapot may still arrive: ask again from 2026-03-04 at 09:00 UTC."
    assert (in_time.eligible, in_time.opens_at) == (True, None)


async def test_nothing_is_granted_by_time_against_what_tracking_says(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    for shipment in await dispatch(session, order):
        await arrive(session, shipment)
    opened = NOW + 8 * DAY
    ticket = await create_ticket(
        session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY, reason=R.NOT_RECEIVED, now=opened
    )

    for days in (2, 4):
        await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(opened + days * DAY))

    assert (ticket.status, ticket.due_at) == (S.APPLIED, opened + 6 * DAY)
    assert await ticket_events(session, ticket) == ["ticket.opened", "ticket.overdue", "ticket.overdue"]
    assert (await session.scalars(select(Refund))).all() == []
    await session.commit()


# --- terms


async def test_terms_are_inherited_down_the_categories_by_reason(shop: Shop, session: AsyncSession) -> None:
    kitchen = await create_category(session, name="Kitchen")
    pots = await create_category(session, name="Pots", parent=kitchen)
    product = await create_product(session, category=pots)
    order = await create_order(
        session, status=OrderStatus.COMPLETED, lines=[(await variant_of(session, product), 1)]
    )
    [line] = await order_lines_of(session, order)
    of_kitchen = ClaimPolicyDraft({R.NO_REASON: 30}, category_id=kitchen.id)
    of_product = ClaimPolicyDraft({R.DAMAGED: 2}, product_id=product.id)
    for draft in (of_kitchen, of_product):
        await save_claim_policy(session, draft, version=None, cause=Cause(NOW))

    ends = {
        reason: (await quote_lines(session, order, [(line, 1)], reason=reason, after=DAY)).deadline
        for reason in (R.NO_REASON, R.DAMAGED, R.QUALITY_FAULT)
    }
    await session.commit()

    assert ends == {
        R.NO_REASON: end_of(2026, 3, 31),
        R.DAMAGED: end_of(2026, 3, 3),
        R.QUALITY_FAULT: end_of(2026, 3, 16),
    }


async def test_a_ticket_keeps_the_terms_it_was_opened_under(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    ticket = await create_ticket(
        session, order=order, lines=[(line, 1)], reason=R.NO_REASON, now=NOW + 6 * DAY
    )
    await refuse_ticket(session, ticket.id, DEADLINES, reason="Used.", cause=Cause(NOW + 6 * DAY, None))
    shorter = ClaimPolicyDraft(dict.fromkeys(CLAIM_REASONS, 1))
    second = await save_claim_policy(session, shorter, version=1, cause=Cause(NOW + 7 * DAY))

    change = TicketRequestChange("It was not used.")
    late = Cause(NOW + 8 * DAY, order.account_id)
    await reapply_ticket(session, ticket.id, change, DEADLINES, cause=late)
    new = await quote_lines(session, order, [(line, 1)], reason=R.NO_REASON, after=8 * DAY)
    first = (await session.scalars(select(ClaimPolicy).order_by(ClaimPolicy.id))).first()
    await session.commit()

    assert ticket.status is S.APPLIED
    assert new.obstacle is not None
    assert (second.version, first is not None and first.windows["NO_REASON"]) == (2, 7)


async def test_terms_are_changed_by_the_version_that_was_read(shop: Shop, session: AsyncSession) -> None:
    shorter = ClaimPolicyDraft(dict.fromkeys(CLAIM_REASONS, 1))

    with pytest.raises(Conflict):
        await save_claim_policy(session, shorter, version=None, cause=Cause(NOW))
    with pytest.raises(Invalid):
        await save_claim_policy(session, ClaimPolicyDraft({R.DAMAGED: 1}), version=1, cause=Cause(NOW))
    negative = ClaimPolicyDraft(dict.fromkeys(CLAIM_REASONS, 1) | {R.DAMAGED: -1})
    with pytest.raises(Invalid):
        await save_claim_policy(session, negative, version=1, cause=Cause(NOW))

    assert len((await session.scalars(select(ClaimPolicy))).all()) == 1
    await session.commit()


async def test_what_the_buyer_confirmed_decides_about_a_return_without_a_reason(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    before = await quote_lines(session, order, [(line, 1)], reason=R.NO_REASON)
    line.exclusion, line.exclusion_confirmed_at = ClaimExclusion.MADE_TO_ORDER, NOW

    unwanted = await quote_lines(session, order, [(line, 1)], reason=R.NO_REASON)
    faulty = await quote_lines(session, order, [(line, 1)])
    await session.commit()

    assert before.eligible
    assert faulty.eligible
    assert unwanted.obstacle is not None
    assert unwanted.obstacle.obstacle is X.EXCLUDED


async def test_a_named_parcel_has_no_more_units_than_were_in_it(shop: Shop, session: AsyncSession) -> None:
    order, line, [first, _] = await order_in_two_parcels(session)
    claim = TicketClaim(T.RETURN_REFUND, R.DAMAGED, (ClaimedUnits(line.id, 3, first.id),))

    with pytest.raises(NotEligible) as refusal:
        await create_ticket_for(session, order, claim)

    assert refusal.value.obstacle is X.ALREADY_ASKED
    assert str(refusal.value) == "Only 2 of Teapot in this parcel can still be asked for."
    await session.commit()


async def create_ticket_for(session: AsyncSession, order: Order, claim: TicketClaim) -> None:
    request = TicketRequest(claim, "It leaks.")
    cause = Cause(NOW + 6 * DAY, order.account_id)
    await open_ticket(session, order.id, request, DEADLINES, number="A1", key="a", cause=cause)
