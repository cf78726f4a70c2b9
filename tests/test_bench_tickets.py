"""The bench of the ticket report runs, and what it prints the times of is what counting one by one gives."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from math import ceil
from uuid import uuid4

import pytest
from sqlalchemy import select

from bench.tickets import ZONE, count_all_days, create_tickets
from loaders.analytics.tickets import (
    OPEN,
    find_percentile,
    load_backlog,
    load_counted_days,
    load_open_by_agent,
    load_refunds,
    split_weeks,
    sum_agents,
    sum_counts,
)
from migrations.runner import upgrade
from models import OrderLine, RefundDimension, Ticket, TicketLine, TicketRating, TicketStatus
from models.counted_days import DayCount
from models.database import Database
from tests.servers import PostgresServer

COUNT = 3_000
"""A bit more than two days of tickets, opened over a week."""


@pytest.fixture
def bench_url(postgres_server: PostgresServer) -> Iterator[str]:
    name = f"tickets_{uuid4().hex}"
    url = asyncio.run(postgres_server.create_database(name))
    upgrade(url)
    yield url
    asyncio.run(postgres_server.drop_database(name))


def test_the_report_is_what_counting_one_by_one_gives(bench_url: str) -> None:
    asyncio.run(compare_report(bench_url))


async def compare_report(url: str) -> None:
    tickets = await create_tickets(url, COUNT)
    database = Database.open(url, pool_size=2)
    try:
        await count_all_days(database, tickets)
        async with database.reads() as session:
            rows = (
                await session.execute(
                    select(Ticket, TicketRating.rating).outerjoin(
                        TicketRating, TicketRating.ticket_id == Ticket.id
                    )
                )
            ).all()
            refunded = (
                await session.execute(
                    select(Ticket.reason, OrderLine.product_id, TicketLine.quantity)
                    .join(TicketLine, TicketLine.ticket_id == Ticket.id)
                    .join(OrderLine, OrderLine.id == TicketLine.order_line_id)
                    .where(Ticket.status == TicketStatus.COMPLETED, Ticket.type != "RESHIP")
                )
            ).all()
        counted = await load_counted_days(database.reads, tickets.days, ZONE)
        assert 0 < len(counted.uncounted) < len(counted.changed) < len(tickets.days)
        for days in (tickets.days, *split_weeks(tickets.days)):
            some = [row for row in rows if days.first <= day_of(row[0]) <= days.last]
            check_counts([ticket for ticket, _ in some], [rating for _, rating in some], counted.of(days))
        by_agent = Counter(ticket.assignee_id for ticket, _ in rows)
        agents = sum_agents(counted.of(tickets.days))
        assert {id: each.tickets for id, each in agents.items()} == by_agent
        open_now = [ticket for ticket, _ in rows if ticket.status in OPEN]
        assert await load_open_by_agent(database.reads) == Counter(each.assignee_id for each in open_now)
        backlog = await load_backlog(database.reads, max(each.opened_at for each in open_now))
        assert {line.status: sum(line.counts) for line in backlog} == Counter(
            each.status for each in open_now
        )
        for by, expected in (
            (RefundDimension.REASON, Counter(reason.value for reason, _, _ in refunded)),
            (RefundDimension.PRODUCT, Counter(str(product_id) for _, product_id, _ in refunded)),
        ):
            lines = await load_refunds(database.reads, tickets.days, ZONE, counted, by)
            assert {line.key: line.refunded for line in lines} == expected
        for by in RefundDimension:
            lines = await load_refunds(database.reads, tickets.days, ZONE, counted, by)
            assert sum(line.refunded for line in lines) == len(refunded)
            if by is not RefundDimension.PRODUCT:
                assert {line.sent for line in lines} != {0}
        [reason, *_] = await load_refunds(database.reads, tickets.days, ZONE, counted, RefundDimension.REASON)
        assert reason.sent == COUNT * 2
    finally:
        await database.close()


def day_of(ticket: Ticket) -> date:
    return ticket.opened_at.astimezone(ZONE).date()


def check_counts(tickets: list[Ticket], ratings: list[int | None], days: Sequence[DayCount]) -> None:
    counts = sum_counts(days)
    answers = sorted(
        int((each.first_answered_at - each.opened_at).total_seconds())
        for each in tickets
        if each.first_answered_at
    )
    ends = sorted(
        int((each.resolved_at - each.opened_at).total_seconds())
        for each in tickets
        if each.resolved_at and each.status is not TicketStatus.CANCELLED
    )
    assert counts.opened == len(tickets)
    assert counts.reopened == sum(each.reopens > 0 for each in tickets)
    assert counts.ratings == [ratings.count(rating) for rating in range(1, 6)]
    for percent in (50, 90):
        for times, naive in ((counts.answer_times, answers), (counts.resolution_times, ends)):
            expected = naive[ceil(len(naive) * percent / 100) - 1] if naive else None
            assert find_percentile(times, percent) == expected
