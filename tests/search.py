"""What the index of products would know of the products in a database."""

from gateways.search import IndexDocument
from loaders.search import PRODUCTS, load_all_documents, read_changes
from loaders.search.changes import IndexPosition
from models.database import Database


async def read_documents(database: Database) -> list[IndexDocument]:
    """The documents of all products, by their ids."""
    return [each async for batch in load_all_documents(database.reads, PRODUCTS) for each in batch]


async def indexed_words(database: Database) -> set[str]:
    """The terms of all products."""
    return {word for document in await read_documents(database) for word in document.words}


async def changed_products(database: Database, after: IndexPosition) -> set[int]:
    """The products that have changed since a position."""
    return set((await read_changes(database.reads, after, PRODUCTS.find)).ids or ())
