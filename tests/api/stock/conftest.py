"""Somebody who keeps the shelves."""

import pytest

from models import Role
from tests.front import Client, Front


@pytest.fixture
async def keeper(front: Front) -> Client:
    return await front.staff(Role.WAREHOUSE)
