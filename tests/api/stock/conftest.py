"""Staff of the warehouse."""

import pytest

from models import Role
from tests.clients import Client, Clients


@pytest.fixture
async def keeper(clients: Clients) -> Client:
    return await clients.staff(Role.WAREHOUSE)
