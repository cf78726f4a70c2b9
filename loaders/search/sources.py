"""What the documents of an index are made of."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateways.search import IndexDocument, IndexLayout
from loaders.search.article_documents import load_article_documents
from loaders.search.changes import SubjectIds, find_articles, find_products
from loaders.search.documents import load_documents
from loaders.search.fields import ARTICLE_LAYOUT, PRODUCT_LAYOUT
from models import Article, Product
from models.database import Reads
from models.sql.types import AnyColumn

BATCH = 500
"""Rows that are read and analyzed at once."""


@dataclass(frozen=True, slots=True)
class IndexSource:
    """The rows of one index: their documents, and which of them a change concerns."""

    layout: IndexLayout
    key: AnyColumn
    load: Callable[[AsyncSession, Collection[int]], Awaitable[list[IndexDocument]]]
    """The documents of rows; those that are no more are left out."""
    find: Callable[[AsyncSession, SubjectIds], Awaitable[frozenset[int]]]
    """The rows that changes concern."""


PRODUCTS = IndexSource(PRODUCT_LAYOUT, Product.id, load_documents, find_products)
ARTICLES = IndexSource(ARTICLE_LAYOUT, Article.id, load_article_documents, find_articles)


async def load_all_documents(reads: Reads, source: IndexSource) -> AsyncIterator[Sequence[IndexDocument]]:
    """The documents of all rows, in batches."""
    last = 0
    while True:
        async with reads() as session:
            statement = select(source.key).where(source.key > last).order_by(source.key).limit(BATCH)
            ids = (await session.scalars(statement)).all()
            if not ids:
                return
            documents = await source.load(session, ids)
        yield documents
        last = ids[-1]
