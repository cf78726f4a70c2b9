"""Who has read which article about which order, until it is counted; the counts name nobody."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import NotFound
from models import Article, ArticleAudience, ArticleDay, ArticleRead, ArticleStatus, Ticket
from models.sql.batches import in_batches
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

READS_LIMIT = 50
"""Readings of one reader that are counted on one day: nobody makes figures as they like."""

TICKET_WITHIN = timedelta(days=1)
"""For how long after a reading a ticket of the reader on the order says that it did not help."""

COUNTED_AFTER = TICKET_WITHIN + timedelta(minutes=5)
"""When a reading is counted: a ticket of the last moment has been committed by then."""


@dataclass(frozen=True, slots=True)
class ArticleReader:
    """Who reads an article, and about which order of theirs."""

    key: str
    account_id: int | None = None
    order_id: int | None = None


async def read_article(
    session: AsyncSession, article_id: int, reader: ArticleReader, *, day: date, cause: Cause
) -> Article:
    """Note that somebody has read an article: once a day for each article and order, the last time."""
    article = await session.get(Article, article_id)
    if (
        article is None
        or article.status is not ArticleStatus.PUBLISHED
        or article.audience is not ArticleAudience.PUBLIC
    ):
        raise NotFound("article", field=("id",))
    of_day = and_(ArticleRead.reader == reader.key, ArticleRead.day == day)
    noted = await session.scalar(select(func.count(ArticleRead.id)).where(of_day)) or 0
    if noted < READS_LIMIT:
        row = {
            "article_id": article_id,
            "reader": reader.key,
            "account_id": reader.account_id,
            "order_id": reader.order_id,
            "day": day,
            "read_at": cause.now,
        }
        await note_reading(session, row)
    return article


async def note_reading(session: AsyncSession, row: Mapping[str, object]) -> None:
    """Note a reading; one of the same day is the same one, as late as it was last."""
    statement = upsert_into(session, ArticleRead).values(**row)
    about_order = row["order_id"] is not None
    keys = [ArticleRead.article_id, ArticleRead.reader, ArticleRead.day]
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[*keys, ArticleRead.order_id] if about_order else keys,
            index_where=ArticleRead.order_id.is_not(None) if about_order else ArticleRead.order_id.is_(None),
            set_={"read_at": statement.excluded.read_at},
        )
    )


def select_uncounted_reads(before: datetime) -> AnySelect:
    """The ids of readings that can be counted: those that were before a moment."""
    return select(ArticleRead.id).where(ArticleRead.read_at <= before).order_by(ArticleRead.read_at)


async def count_reads(session: AsyncSession, read_ids: Sequence[int]) -> int:
    """Count readings, with whether a ticket has followed, and forget who they were of; how many.

    Who had opened a ticket on the order shortly before reads what becomes of it: no ticket is saved there.
    Those that another process is counting are left to it.
    """
    reads = (
        await session.scalars(
            select(ArticleRead).where(ArticleRead.id.in_(read_ids)).with_for_update(skip_locked=True)
        )
    ).all()
    opened = await load_openings(session, {read.order_id for read in reads if read.order_id})
    counts: dict[tuple[int, date], Counter[str]] = {}
    for read in reads:
        of_day = counts.setdefault((read.article_id, read.day), Counter())
        of_day["reads"] += 1
        if read.order_id is not None:
            moments = opened.get((read.order_id, read.account_id), ())
            if any(read.read_at - TICKET_WITHIN <= moment < read.read_at for moment in moments):
                continue
            followed = any(read.read_at <= moment <= read.read_at + TICKET_WITHIN for moment in moments)
            of_day["order_reads"] += 1
            of_day["deflected"] += not followed
    await add_to_days(session, counts)
    await session.execute(delete(ArticleRead).where(ArticleRead.id.in_([read.id for read in reads])))
    return len(reads)


async def load_openings(
    session: AsyncSession, order_ids: Collection[int]
) -> Mapping[tuple[int | None, int | None], Sequence[datetime]]:
    """When tickets were opened, by their order and customer, whatever became of them."""
    found: defaultdict[tuple[int | None, int | None], list[datetime]] = defaultdict(list)
    tickets = select(Ticket.order_id, Ticket.account_id, Ticket.opened_at)
    for order_id, account_id, opened_at in await session.execute(
        tickets.where(Ticket.order_id.in_(order_ids))
    ):
        found[order_id, account_id].append(opened_at)
    return found


async def add_to_days(session: AsyncSession, counts: Mapping[tuple[int, date], Mapping[str, int]]) -> None:
    """Add counts by column to the days of articles; sorted, so that no two processes wait for each other."""
    columns = ("shown", "reads", "order_reads", "deflected")
    for batch in in_batches(sorted(counts)):
        rows = [
            {"article_id": article_id, "day": day}
            | {name: counts[article_id, day].get(name, 0) for name in columns}
            for article_id, day in batch
        ]
        statement = upsert_into(session, ArticleDay)
        added = {name: getattr(ArticleDay, name) + statement.excluded[name] for name in columns}
        keys = [ArticleDay.article_id, ArticleDay.day]
        await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)
