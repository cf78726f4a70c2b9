"""Reading what search indexes have not seen yet."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, literal_column, not_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, UserDefinedType

from models import Category, IndexChange, IndexSubject, Product, ProductAttribute, StockLevel, Variant
from models.database import Reads
from models.sql.batches import in_batches
from models.sql.dialects import dialect_of
from models.sql.types import AnyExpression, AnySelect

CHANGES_LIMIT = 100_000
"""Rows that an index which has not seen so many is not brought up to date with, but built anew."""


@dataclass(frozen=True, slots=True)
class IndexPosition:
    """Up to where the changes have been read."""

    last_id: int
    snapshot: str = ""
    """What was visible then (PostgreSQL's pg_snapshot): what was not is read next, whatever its id."""

    def write(self) -> str:
        return json.dumps([self.last_id, self.snapshot])

    def is_before(self, other: "IndexPosition") -> bool:
        """Whether the database is not the one that the other position is of: it was restored since."""
        return self.last_id < other.last_id or self.next_transaction < other.next_transaction

    @property
    def next_transaction(self) -> int:
        """The first transaction that had not begun; 0 on SQLite."""
        return int(self.snapshot.split(":")[1]) if self.snapshot else 0

    @classmethod
    def read(cls, text: str) -> "IndexPosition | None":
        """The position, None where the text is none."""
        try:
            last_id, snapshot = json.loads(text)
            position = cls(int(last_id), str(snapshot))
            return position if position.next_transaction >= 0 else None
        except (ValueError, TypeError, IndexError):
            return None


@dataclass(frozen=True, slots=True)
class IndexChanges:
    """What has changed after a position: the rows to index again, or None for all of them."""

    ids: frozenset[int] | None
    position: IndexPosition
    others: int = 0
    """Changes that concern other indexes: the position goes on past them."""

    @property
    def is_empty(self) -> bool:
        return self.ids is not None and not self.ids and not self.others


async def read_position(reads: Reads) -> IndexPosition:
    """The position of an index that is built from now on."""
    async with reads() as session:
        last_id, snapshot = (await session.execute(_position_columns(dialect_of(session)))).one()
    return IndexPosition(last_id or 0, snapshot)


SubjectIds = Mapping[IndexSubject, Collection[int]]
"""The ids of what has changed, by the kinds of rows."""

FindRows = Callable[[AsyncSession, SubjectIds], Awaitable[frozenset[int]]]


async def read_changes(reads: Reads, after: IndexPosition, find: FindRows) -> IndexChanges:
    """The changes after a position, of which `find` knows the rows; one statement where there are none."""
    async with reads() as session:
        dialect = dialect_of(session)
        here = _position_columns(dialect).subquery("here")
        first = select(func.min(IndexChange.id)).scalar_subquery()
        unread = (
            select(IndexChange.subject, IndexChange.subject_id, func.max(IndexChange.id).label("id"))
            .where(_is_unread(after, dialect))
            .group_by(IndexChange.subject, IndexChange.subject_id)
            .limit(CHANGES_LIMIT + 1)
            .subquery("unread")
        )
        statement = select(here.c.last_id, here.c.snapshot, first, unread.c.subject, unread.c.subject_id)
        rows = (
            await session.execute(statement.select_from(here.outerjoin(unread, literal_column("true"))))
        ).all()
        last_id, snapshot, oldest, *_ = rows[0]
        position = IndexPosition(last_id or 0, snapshot)
        changes = {(row.subject, row.subject_id) for row in rows if row.subject is not None}
        was_lost = position.is_before(after) or (oldest or 0) > after.last_id + 1
        if was_lost or len(changes) > CHANGES_LIMIT or (IndexSubject.EVERYTHING, 0) in changes:
            return IndexChanges(None, position)
        by_subject: defaultdict[IndexSubject, set[int]] = defaultdict(set)
        for subject, subject_id in changes:
            by_subject[subject].add(subject_id)
        found = await find(session, by_subject)
        return IndexChanges(found, position, others=0 if found else len(changes))


def _position_columns(dialect: str) -> AnySelect:
    snapshot = cast(func.pg_current_snapshot(), String) if dialect == "postgresql" else literal_column("''")
    last_id = select(func.max(IndexChange.id)).scalar_subquery()
    return select(last_id.label("last_id"), snapshot.label("snapshot"))


def _is_unread(after: IndexPosition, dialect: str) -> ColumnElement[bool]:
    """Ids are drawn in the order of the commits on SQLite, which has one writer, but not on PostgreSQL."""
    if dialect != "postgresql":
        return IndexChange.id > after.last_id
    snapshot = after.snapshot
    oldest = int(snapshot.partition(":")[0])
    transaction: AnyExpression = literal_column("transaction_id::text::xid8")
    seen = func.pg_visible_in_snapshot(transaction, cast(cast(snapshot, String), PgSnapshot))
    return and_(IndexChange.transaction_id >= literal(oldest, BigInteger), not_(seen))


async def find_articles(session: AsyncSession, changes: SubjectIds) -> frozenset[int]:
    """The articles that these changes concern."""
    return frozenset(changes.get(IndexSubject.ARTICLE, ()))


async def find_products(session: AsyncSession, changes: SubjectIds) -> frozenset[int]:
    """The products that these changes concern."""
    found = set(changes.get(IndexSubject.PRODUCT, ()))
    for subject, statement, key in (
        (IndexSubject.VARIANT, select(Variant.product_id), Variant.id),
        (IndexSubject.ATTRIBUTE, select(ProductAttribute.product_id), ProductAttribute.attribute_id),
        (
            IndexSubject.WAREHOUSE,
            select(Variant.product_id).join(StockLevel, StockLevel.variant_id == Variant.id),
            StockLevel.warehouse_id,
        ),
    ):
        for batch in in_batches(changes.get(subject, ())):
            found.update(await session.scalars(statement.where(key.in_(batch)).distinct()))
    if categories := set(changes.get(IndexSubject.CATEGORY, ())):
        rows = (await session.execute(select(Category.id, Category.path))).all()
        below = [id for id, path in rows if not categories.isdisjoint(map(int, path.strip("/").split("/")))]
        for batch in in_batches(below):
            found.update(await session.scalars(select(Product.id).where(Product.category_id.in_(batch))))
    return frozenset(found)


class PgSnapshot(UserDefinedType[str]):
    """PostgreSQL's type of what is visible at a moment."""

    cache_ok = True

    def get_col_spec(self, **kw: object) -> str:
        return "pg_snapshot"
