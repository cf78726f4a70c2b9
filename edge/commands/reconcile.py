"""`cartwheel reconcile`: a provider's statement against the books."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from domain.payment.statement import Period, find_open_differences
from events.payment.reconciliation import Reconciliation, reconcile_statement
from events.shop import Shop
from gateways.payment.provider import (
    ProviderError,
    ProviderRefused,
    Statement,
    StatementSource,
    StatementUnreadable,
)
from models import Money, PaymentMethod, StatementDifference
from text.characters import clean_text

DIFFERENCES, UNREADABLE = 1, 2
"""Exit codes."""


async def reconcile_file(shop: Shop, file: Path, method: PaymentMethod | None, console: Console) -> int:
    """Compare a statement file; the exit code is 0 when all agrees, 1 with differences, 2 when unreadable."""
    sources = statement_sources(shop, method)
    try:
        statement = read_with_any(sources, await asyncio.to_thread(file.read_bytes))
        check_days(statement, now=shop.clock())
    except StatementUnreadable as error:
        console.print(clean_text(str(error)), highlight=False, markup=False, soft_wrap=True)
        return UNREADABLE
    return await reconcile_and_print(shop, statement, None, console)


async def reconcile_day(shop: Shop, day: date, method: PaymentMethod | None, console: Console) -> int:
    """Fetch the statements of a day from each provider, or one, and compare them; the worst exit code."""
    codes = [0]
    sources = statement_sources(shop, method)
    if not sources:
        console.print(NO_SOURCE, highlight=False, markup=False)
        return UNREADABLE
    for each, source in sources.items():
        try:
            if day > (shop.clock() + AHEAD_OF_UTC).date():
                raise StatementUnreadable(f"{day} is a day to come")
            statement = source.read_statement(await source.fetch_statement(day))
            check_days(statement, now=shop.clock())
        except (ProviderError, ProviderRefused, StatementUnreadable) as error:
            console.print(clean_text(f"{each}: {error}"), highlight=False, markup=False, soft_wrap=True)
            codes.append(UNREADABLE)
        else:
            codes.append(await reconcile_and_print(shop, statement, day, console))
    return max(codes)


AHEAD_OF_UTC = timedelta(hours=14)
"""How much further than in UTC a day may be where a provider is (https://www.iana.org/time-zones)."""

OLDEST_YEAR = 2000
"""No provider has had a statement before."""


def check_days(statement: Statement, *, now: datetime) -> None:
    """StatementUnreadable where a line is of a day to come, or of a time without providers."""
    latest = now + AHEAD_OF_UTC
    for line in statement.lines:
        if line.happened_at > latest or line.happened_at.year < OLDEST_YEAR:
            raise StatementUnreadable(f"line {line.line} is of {line.happened_at:%Y-%m-%d}")


NO_SOURCE = "No connected payment method has statements that can be read."


def statement_sources(shop: Shop, method: PaymentMethod | None) -> dict[PaymentMethod, StatementSource]:
    """The connected providers whose statements can be read, or the one of a method."""
    return {
        each: provider
        for each, provider in shop.payments.items()
        if isinstance(provider, StatementSource) and method in {None, each}
    }


def read_with_any(sources: dict[PaymentMethod, StatementSource], content: bytes) -> Statement:
    """The statement as the one provider reads it whose file it is; StatementUnreadable where none does."""
    if not sources:
        raise StatementUnreadable(NO_SOURCE)
    problems = []
    for method, source in sources.items():
        try:
            return source.read_statement(content)
        except StatementUnreadable as error:
            problems.append(f"{method}: {error}")
    raise StatementUnreadable("\n".join(problems))


async def reconcile_and_print(shop: Shop, statement: Statement, day: date | None, console: Console) -> int:
    """Compare a statement and print every difference that nobody has resolved."""
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(statement.method.value)
        done = await reconcile_statement(
            shop, statement, day=day, progress=lambda count: progress.advance(task, count)
        )
    if done is None:
        write_line(f"{statement.method}: the statement has no line.")
        return 0
    found = await print_differences(shop, done)
    for line in describe_totals(done):
        write_line(line)
    write_line(f"{found} differences." if found else "All of it agrees.")
    return DIFFERENCES if found else 0


async def print_differences(shop: Shop, done: Reconciliation) -> int:
    """Print what was found and is not resolved, page by page; returns how many."""
    found = after = 0
    while True:
        async with shop.database.reads() as session:
            page = await find_open_differences(session, done.period, seen_at=done.compared_at, after=after)
        for each in page:
            write_line(describe_difference(each, done.period))
        found += len(page)
        if not page:
            return found
        after = page[-1].id


def describe_difference(difference: StatementDifference, period: Period) -> str:
    """A difference in one line, with the line of the statement where it has one."""
    day = period.day_of(difference.happened_at)
    place = f"{day}, line {difference.line}" if difference.line else f"{day}"
    return (
        f"{difference.kind} {difference.subject} {difference.reference}: "
        f"here {difference.expected}, there {difference.found} ({place})"
    )


def describe_totals(done: Reconciliation) -> Iterator[str]:
    """What the statement has, and what became of it, in lines."""
    period = done.period
    first, last = period.starts_at, period.ends_at - timedelta(microseconds=1)
    days = " to ".join(dict.fromkeys(str(period.day_of(moment)) for moment in (first, last)))
    yield f"{period.method} {period.form} {days}: {sum(done.lines.values()):,} lines"
    for kind, count in sorted(done.lines.items()):
        yield f"  {count:,} {kind}: {', '.join(map(str, done.totals_of(kind)))}"
    fees = [Money(minor, currency) for currency, minor in done.fees.items() if minor]
    if fees:
        yield f"  fees beside them: {', '.join(map(str, fees))}"
    if done.foreign_fees:
        yield f"  {done.foreign_fees:,} fees are in another currency than their payment, and not in the books"
    yield f"  {done.fees_posted:,} fees posted, {done.resolved:,} earlier differences resolved"


def write_line(line: str) -> None:
    """Print a line; what a statement says must not control the terminal."""
    sys.stdout.write(f"{clean_text(line)}\n")
