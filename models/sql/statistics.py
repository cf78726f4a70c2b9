"""What a database knows of its own tables, by which it plans statements."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import Base


async def analyze_table(session: AsyncSession, table: type[Base], *, sample_rows: int) -> None:
    """Have a table counted anew; SQLite reads so many rows of each index
    (https://sqlite.org/lang_analyze.html)."""
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(text(f"PRAGMA analysis_limit = {sample_rows}"))
    await session.execute(text(f"ANALYZE {table.__tablename__}"))
