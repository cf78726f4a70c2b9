"""The audit names the day and the figure of whatever is kept otherwise than its tickets and parcels say."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.assignment import assign_ticket
from domain.aftersales.day_counts import recount_days
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.settlement import follow_refunds
from domain.audit import RULES, Disagreement, audit_books, find_disagreements
from domain.cause import Cause
from events.shop import Shop
from models import (
    OrderLine,
    OrderStatus,
    RefundDay,
    RefundDimension,
    Role,
    Shipment,
    Ticket,
    TicketDay,
    TicketRating,
    TicketStatus,
    TicketType,
)
from models.sql.types import AnyAttribute
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    create_question_about_no_order,
    create_ticket,
    settle_refunds,
)
from tests.factories.order import NOW, create_order

DAY = NOW.astimezone(DEADLINES.zone).date()
LONG = 70_000
"""Seconds that need three bytes."""
DAY_RULES = [rule for rule in RULES if "of days" in rule or "on days" in rule or "days of" in rule]


async def count_history(session: AsyncSession) -> dict[str, str]:
    """A refunded ticket that its agent has, a question answered late and rated, and one that waits; their day
    is counted. The keys of what was counted."""
    agent = await create_account(session, role=Role.SUPPORT)
    order = await create_order(session, status=OrderStatus.COMPLETED)
    refunded = await create_ticket(
        session, order=order, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING
    )
    await assign_ticket(session, refunded.id, agent.id, cause=Cause(NOW, agent.id))
    await settle_refunds(session, refunded)
    await follow_refunds(session, refunded.id, DEADLINES, cause=Cause(NOW))
    questions = [await create_question_about_no_order(session) for _ in range(3)]
    for question, seconds in zip(questions, (LONG, 60), strict=False):
        later = Cause(NOW + timedelta(seconds=seconds), agent.id)
        await add_message(session, question.id, MessageDraft("Yes."), DEADLINES, cause=later)
    await assign_ticket(session, questions[1].id, agent.id, cause=Cause(NOW, agent.id))
    session.add(
        TicketRating(ticket_id=questions[1].id, asked_at=NOW, open_until=NOW, rating=4, note="", rated_at=NOW)
    )
    await session.flush()
    await recount_days(session, [DAY], zone=DEADLINES.zone)
    line = (await session.scalars(select(OrderLine))).one()
    parcel = (await session.scalars(select(Shipment))).one()
    return {
        "agent": str(agent.id),
        "product": str(line.product_id),
        "warehouse": str(parcel.warehouse_id),
        "carrier": str(parcel.carrier),
        "reason": refunded.reason.value,
        "units": str(line.quantity),
    }


def refund_day(dimension: RefundDimension, column: AnyAttribute, change: int) -> Any:
    return (
        update(RefundDay)
        .where(RefundDay.dimension == dimension, column > 0)
        .values({column.key: column + change})
    )


def day(**values: Any) -> Any:
    return update(TicketDay).where(TicketDay.day == DAY).values(values)


TIMES = (60).to_bytes(4, "little") + LONG.to_bytes(4, "little")
"""The times until answers that are kept of two questions, after that of the refunded ticket."""


def list_damages(keys: Mapping[str, str]) -> dict[str, tuple[Any, str, *tuple[str, ...]]]:
    """What is changed, and the rule and the rows that name it."""
    return {
        "opened": (day(opened=5), "days of tickets as counted", f"{DAY} opened"),
        "resolved": (day(resolved=2), "days of tickets as counted", f"{DAY} resolved"),
        "reopened": (day(reopened=1), "days of tickets as counted", f"{DAY} reopened"),
        "asked": (day(asked=0), "days of tickets as counted", f"{DAY} asked"),
        "answered": (day(answered=2), "days of tickets as counted", f"{DAY} answered"),
        "settled": (day(settled=4), "days of tickets as counted", f"{DAY} settled"),
        "sum of answers": (
            day(answer_seconds=1),
            "days of tickets as counted",
            f"{DAY} seconds until answers",
        ),
        "sum of ends": (day(resolution_seconds=1), "days of tickets as counted", f"{DAY} seconds until ends"),
        "a rating": (day(ratings=[0, 0, 0, 0, 1]), "days of tickets as counted", f"{DAY} ratings of 4"),
        "a rating too few": (
            day(ratings=[0, 0, 0, 0, 0]),
            "days of tickets as counted",
            f"{DAY} ratings of 4",
        ),
        "no ratings": (day(ratings=[]), "days of tickets as counted", f"{DAY} ratings of 1"),
        "times with the same sum": (
            day(answer_times=bytes(4) + (61).to_bytes(4, "little") + (LONG - 1).to_bytes(4, "little")),
            "times of days as counted",
            f"{DAY} until answers",
        ),
        "times in another order": (
            day(resolution_times=TIMES + bytes(4)),
            "times of days as counted",
            f"{DAY} until ends",
        ),
        "no times": (day(answer_times=b""), "times of days as counted", f"{DAY} until answers"),
        "an agent too many": (
            day(agents={keys["agent"]: [2, 2, 0, 1, 4], "0": [1, 0, 0, 0, 0]}),
            "agents of days as counted",
            f"{DAY} agents",
        ),
        "an agent's ratings": (
            day(agents={keys["agent"]: [2, 2, 0, 1, 5]}),
            "agents of days as counted",
            f"{DAY} account {keys['agent']}",
        ),
        "units of a reason": (
            refund_day(RefundDimension.REASON, RefundDay.refunded, 1),
            "refunds of days as counted",
            f"{DAY} by reason {keys['reason']}",
        ),
        "another reason": (
            update(RefundDay)
            .where(RefundDay.dimension == RefundDimension.REASON, RefundDay.refunded > 0)
            .values(key="NO_REASON"),
            "refunds of days as counted",
            f"{DAY} by reason NO_REASON",
            f"{DAY} by reason {keys['reason']}",
        ),
        "money of a product": (
            refund_day(RefundDimension.PRODUCT, RefundDay.amount, 1),
            "refunds of days as counted",
            f"{DAY} by product {keys['product']}",
        ),
        "units of a warehouse": (
            refund_day(RefundDimension.WAREHOUSE, RefundDay.refunded, 1),
            "refunds of days as counted",
            f"{DAY} by warehouse {keys['warehouse']}",
        ),
        "money of a carrier": (
            refund_day(RefundDimension.CARRIER, RefundDay.amount, -1),
            "refunds of days as counted",
            f"{DAY} by carrier {keys['carrier']}",
        ),
        "units sent of a product": (
            refund_day(RefundDimension.PRODUCT, RefundDay.sent, 1),
            "units sent on days as counted",
            f"{DAY} by product {keys['product']}",
        ),
        "units sent with a carrier": (
            refund_day(RefundDimension.CARRIER, RefundDay.sent, 1),
            "units sent on days as counted",
            f"{DAY} by carrier {keys['carrier']}",
        ),
        "units sent from a warehouse": (
            refund_day(RefundDimension.WAREHOUSE, RefundDay.sent, -1),
            "units sent on days as counted",
            f"{DAY} by warehouse {keys['warehouse']}",
        ),
    }


async def test_the_audit_names_each_figure_of_a_day_that_is_kept_wrong(
    shop: Shop, session: AsyncSession
) -> None:
    keys = await count_history(session)
    kept = await session.get_one(TicketDay, DAY)
    assert (kept.opened, kept.answered, kept.settled, kept.ratings) == (4, 3, 3, [0, 0, 0, 1, 0])
    assert kept.agents == {keys["agent"]: [2, 2, 0, 1, 4]}
    assert await audit_books(session) == []

    for name, (damage, rule, *rows) in list_damages(keys).items():
        found = await audit_damaged(session, damage)
        assert (name, [(each.rule, each.row) for each in found]) == (name, [(rule, row) for row in rows])
        assert found[0].expected != found[0].found
    await session.rollback()


async def test_a_day_with_a_changed_ticket_is_counted_again_and_not_compared(
    shop: Shop, session: AsyncSession
) -> None:
    keys = await count_history(session)
    await session.execute(update(Ticket).values(recount_at=NOW))

    for name, (damage, rule, *_) in list_damages(keys).items():
        found = await audit_damaged(session, damage)
        # what has left on a day that was counted never changes
        assert (name, [each.rule for each in found]) == (name, [rule] if "sent" in rule else [])
    await session.rollback()


async def audit_damaged(session: AsyncSession, damage: Any) -> Sequence[Disagreement]:
    nested = await session.begin_nested()
    changed = await session.execute(damage.execution_options(synchronize_session=False))
    assert changed.rowcount > 0  # type: ignore[attr-defined]
    found = [each async for each in find_disagreements(session, DAY_RULES)]
    await nested.rollback()
    return found
