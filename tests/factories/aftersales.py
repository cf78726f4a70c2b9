"""Tickets as customers open them and agents answer them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.agreement import AgreementRuleDraft, save_agreement_rule
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.question_opening import QuestionRequest, QuestionTerms, ask_question
from domain.aftersales.quote import TicketQuote, quote_claim
from domain.aftersales.reasons import CLAIM_REASONS
from domain.aftersales.requests import TicketRequest, open_ticket
from domain.aftersales.return_waybill import OTHER_CARRIER, ReturnWaybill, ship_return
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.cause import Cause
from domain.payment import settle_refund
from models import (
    Account,
    AgreementMoment,
    AgreementRule,
    AgreementStep,
    CurrencyCode,
    Event,
    Media,
    Order,
    OrderLine,
    OrderStatus,
    Refund,
    RefundStatus,
    RuleDecision,
    StockLevel,
    Subject,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.account import create_account
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import NOW, create_order

NUMBERS = count(1)

DEADLINES = Deadlines(
    zone=ZoneInfo("Asia/Shanghai"),
    delivery_promise=timedelta(days=7),
    not_received_after=timedelta(hours=24),
    answer=timedelta(days=2),
    send_back=timedelta(days=7),
    inspect=timedelta(days=10),
    see_return=timedelta(days=5),
    inspect_arrived=timedelta(days=3),
    receipt=timedelta(days=10),
    choose=timedelta(days=7),
    wait_for_stock=timedelta(days=30),
    pay_difference=timedelta(days=3),
    repair=timedelta(days=14),
    close_question=timedelta(days=7),
)


async def create_ticket(
    session: AsyncSession,
    *,
    order: Order | None = None,
    type: TicketType = TicketType.RETURN_REFUND,
    reason: TicketReason = TicketReason.QUALITY_FAULT,
    lines: Sequence[tuple[OrderLine, int]] | None = None,
    description: str = "It leaks.",
    media_ids: Sequence[int] = (),
    status: TicketStatus = TicketStatus.APPLIED,
    key: str | None = None,
    now: datetime = NOW,
) -> Ticket:
    """A ticket of a received order, by default about one unit of its first line, brought to `status`."""
    order = order or await create_order(session, status=OrderStatus.COMPLETED, now=now)
    claimed = lines or [((await order_lines_of(session, order))[0], 1)]
    number = next(NUMBERS)
    ticket = await open_ticket(
        session,
        order.id,
        TicketRequest(ticket_claim(claimed, type=type, reason=reason), description, tuple(media_ids)),
        DEADLINES,
        number=f"A{number:08}",
        key=key or f"ticket-{number}",
        cause=Cause(now, order.account_id),
    )
    await bring_to_status(session, ticket, status, now=now)
    return ticket


async def create_question(
    session: AsyncSession, *, order: Order | None = None, now: datetime = NOW, key: str | None = None
) -> Ticket:
    """A question about a received order, which names none of its lines."""
    order = order or await create_order(session, status=OrderStatus.COMPLETED, now=now)
    number = next(NUMBERS)
    return await open_ticket(
        session,
        order.id,
        TicketRequest(
            TicketClaim(TicketType.QUESTION, TicketReason.QUESTION, ()), "Does it fit a ring of 21 cm?"
        ),
        DEADLINES,
        number=f"A{number:08}",
        key=key or f"question-{number}",
        cause=Cause(now, order.account_id),
    )


async def create_question_about_no_order(
    session: AsyncSession, *, account: Account | None = None, now: datetime = NOW, key: str | None = None
) -> Ticket:
    """What a customer wants to know who may never have ordered anything."""
    account = account or await create_account(session)
    number = next(NUMBERS)
    return await ask_question(
        session,
        QuestionRequest(account.id, "Do you ship to Lhasa?"),
        QuestionTerms(CurrencyCode.CNY, open_limit=10, daily_limit=20),
        DEADLINES,
        number=f"A{number:08}",
        key=key or f"question-{number}",
        cause=Cause(now, account.id),
    )


async def bring_to_status(
    session: AsyncSession, ticket: Ticket, status: TicketStatus, *, now: datetime = NOW
) -> None:
    """Bring a ticket from APPLIED to `status` by the ordinary commands; ValueError if none leads there."""
    if status is TicketStatus.REFUSED:
        await refuse_ticket(session, ticket.id, DEADLINES, reason="Not ours.", cause=Cause(now, None))
    elif status is not TicketStatus.APPLIED:
        await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(now, None))
    if status is TicketStatus.RETURN_SHIPPED:
        await ship_back(session, ticket, now=now)
    if ticket.status is not status:
        raise ValueError(f"{ticket.type} does not lead to {status}")


async def ship_back(session: AsyncSession, ticket: Ticket, *, now: datetime = NOW) -> None:
    await ship_return(
        session,
        ticket.id,
        ReturnWaybill(OTHER_CARRIER, f"SF{next(NUMBERS):08}", "SF Express"),
        DEADLINES,
        cause=Cause(now, ticket.account_id),
    )


def ticket_claim(
    lines: Sequence[tuple[OrderLine, int]],
    *,
    type: TicketType = TicketType.RETURN_REFUND,
    reason: TicketReason = TicketReason.QUALITY_FAULT,
) -> TicketClaim:
    return TicketClaim(type, reason, tuple(ClaimedUnits(line.id, quantity) for line, quantity in lines))


async def order_lines_of(session: AsyncSession, order: Order) -> Sequence[OrderLine]:
    rows = await session.scalars(
        select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    )
    return rows.all()


async def refunds_of(session: AsyncSession, ticket: Ticket) -> Sequence[Refund]:
    rows = await session.scalars(select(Refund).where(Refund.ticket_id == ticket.id).order_by(Refund.id))
    return rows.all()


async def settle_refunds(session: AsyncSession, ticket: Ticket, *, now: datetime = NOW) -> None:
    """Every refund of a ticket reaches its customer."""
    for refund in await refunds_of(session, ticket):
        if refund.status is RefundStatus.PENDING:
            await settle_refund(session, refund.id, provider_reference=f"R-{refund.id}", cause=Cause(now))


async def create_media(session: AsyncSession, *, uploader_id: int | None, now: datetime = NOW) -> Media:
    """A picture somebody has uploaded."""
    media = Media(
        url=f"/media/picture-{next(NUMBERS)}.png",
        alt="",
        content_type="image/png",
        size=100,
        width=10,
        height=10,
        uploader_id=uploader_id,
        created_at=now,
    )
    session.add(media)
    await session.flush()
    return media


async def quote_lines(
    session: AsyncSession,
    order: Order,
    lines: Sequence[tuple[OrderLine, int]],
    *,
    type: TicketType = TicketType.RETURN_REFUND,
    reason: TicketReason = TicketReason.QUALITY_FAULT,
    after: timedelta = timedelta(0),
) -> TicketQuote:
    claim = ticket_claim(lines, type=type, reason=reason)
    return await quote_claim(session, order, claim, DEADLINES, asked_at=NOW + after)


async def status_of(session: AsyncSession, ticket: Ticket) -> TicketStatus:
    await session.flush()
    await session.refresh(ticket)
    return ticket.status


async def ticket_events(session: AsyncSession, ticket: Ticket) -> list[str]:
    rows = await session.scalars(
        select(Event.name)
        .where(Event.subject == Subject.TICKET, Event.subject_id == ticket.id)
        .order_by(Event.version)
    )
    return list(rows)


async def stock_by_warehouse(session: AsyncSession) -> dict[int, tuple[int, int, int]]:
    """On hand, reserved and damaged by warehouse, of the one variant there is."""
    rows = await session.scalars(select(StockLevel).execution_options(populate_existing=True))
    return {row.warehouse_id: (row.on_hand, row.reserved, row.damaged) for row in rows}


async def settle_one(session: AsyncSession, refund: Refund) -> None:
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))


async def count_tickets(session: AsyncSession) -> int:
    return await session.scalar(select(func.count(Ticket.id))) or 0


async def order_of_three(
    session: AsyncSession, *, quantity: int = 3, status: OrderStatus = OrderStatus.COMPLETED
) -> tuple[Order, OrderLine]:
    variant = await variant_of(session, await create_product(session, title="Teapot"))
    order = await create_order(session, status=status, lines=[(variant, quantity)])
    return order, (await order_lines_of(session, order))[0]


async def create_rule(session: AsyncSession, code: str = "small", **changes: Any) -> AgreementRule:
    """A rule that agrees at once to refunds of up to 100.00 CNY, or another version of one."""
    version = await session.scalar(select(func.max(AgreementRule.version)).where(AgreementRule.code == code))
    draft = AgreementRuleDraft(
        **{
            "code": code,
            "title": "Small amounts",
            "moment": AgreementMoment.OPENED,
            "types": (TicketType.REFUND_ONLY,),
            "reasons": tuple(CLAIM_REASONS),
            "amounts": {CurrencyCode.CNY: 10_000},
            "daily_amounts": {CurrencyCode.CNY: 100_000},
            "daily_tickets": 10,
            **changes,
        }
    )
    return await save_agreement_rule(session, draft, version=version, cause=Cause(NOW))


async def change_silence(session: AsyncSession, **changes: Any) -> AgreementRule:
    """Another version of the rule about the shop's silence."""
    unlimited = {
        "title": "Nobody has answered",
        "moment": AgreementMoment.SILENCE,
        "types": tuple(set(TicketType) - {TicketType.QUESTION}),
        "amounts": {},
    }
    return await create_rule(session, "silence", **(unlimited | changes))


async def decisions_of(session: AsyncSession, ticket: Ticket) -> list[tuple[str, int, AgreementStep, int]]:
    """Code and version of each rule that has decided about a ticket, what, and how much that counted."""
    rows = await session.execute(
        select(RuleDecision.code, AgreementRule.version, RuleDecision.step, RuleDecision.amount)
        .join(AgreementRule, AgreementRule.id == RuleDecision.rule_id)
        .where(RuleDecision.ticket_id == ticket.id)
        .order_by(RuleDecision.decided_at)
    )
    return [(code, version, step, amount) for code, version, step, amount in rows]
