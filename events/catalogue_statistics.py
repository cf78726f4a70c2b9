"""What the database knows of its own tables, after many rows have come in."""

from models import Base, Media, Price, Product, ProductAttribute, ProductMedia, StockLevel, Variant
from models.database import Database
from models.sql.statistics import analyze_table

TABLES: tuple[type[Base], ...] = (
    Product,
    Variant,
    Price,
    Media,
    ProductMedia,
    ProductAttribute,
    StockLevel,
)
"""What an import fills."""

SAMPLE_ROWS = 1_000
"""Rows of an index that SQLite reads: enough for its plans, and quickly done."""


async def refresh_statistics(database: Database) -> None:
    """Let the database count the rows of the catalogue anew; a table at a time, so that nobody waits long."""
    for table in TABLES:
        async with database.writes.begin() as session:
            await analyze_table(session, table, sample_rows=SAMPLE_ROWS)
