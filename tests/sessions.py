"""The session of a test: rows are written and read with it, between the requests to the shop."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop


class WriteSession(AsyncSession):
    """A session whose rows are detached by a commit: what is read afterwards comes from the database."""

    async def commit(self) -> None:
        await super().commit()
        self.expunge_all()

    async def rollback(self) -> None:
        await super().rollback()
        self.expunge_all()


@pytest.fixture
async def session(shop: Shop) -> AsyncIterator[AsyncSession]:
    """Writes to the shop's database; its transaction begins with the first statement and ends with `commit`.

    On SQLite there is one writer: commit before the shop writes.
    """
    async with WriteSession(**shop.database.writes.kw) as session:
        yield session
