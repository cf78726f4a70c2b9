"""An empty database."""

from collections.abc import AsyncIterator

import pytest

from models.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database.open(database_url, pool_size=2)
    yield database
    await database.close()
