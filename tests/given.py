"""What many tests begin with, and how they read answers and books; what only one area needs stands there."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Event, LedgerAccount, LedgerEntry, Order, Role, Shipment, ShipmentStatus
from models.database import Database
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.process import open_shop_of


@pytest.fixture
async def clerk(clients: Clients) -> Client:
    """Somebody who works on the catalogue."""
    return await clients.staff(Role.CATALOGUE)


@pytest.fixture
async def other_shop(env: dict[str, str]) -> AsyncIterator[Shop]:
    """The shop that the processes with the environment `env` serve, in the process of the test."""
    async with open_shop_of(env) as shop:
        yield shop


CROWD = 64
"""Clients at the same moment, each with its own connection."""


@pytest.fixture
async def crowd(postgres_url: str) -> AsyncIterator[Database]:
    """A database with as many connections as there are clients."""
    database = Database.open(postgres_url, pool_size=CROWD)
    yield database
    await database.close()


def id_of(row: Any) -> str:
    """The global id of a row."""
    return global_id(type(row).__name__, row.id)


def cny(amount: object) -> dict[str, str]:
    """An amount as an input takes it and an answer shows it."""
    return {"amount": str(amount), "currencyCode": "CNY"}


def codes(payload: dict[str, Any]) -> list[str]:
    """The codes of the refusals in a payload."""
    return [error["code"] for error in payload["userErrors"]]


def refusals(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and field of each refusal in a payload."""
    return [(error["code"], ".".join(error["field"])) for error in payload["userErrors"]]


async def names_of_all_events(shop: Shop) -> list[str]:
    """The names of all recorded events, in the order of their recording."""
    async with shop.database.reads() as session:
        return list(await session.scalars(select(Event.name).order_by(Event.id)))


async def ledger_balances(session: AsyncSession, order: Order) -> dict[LedgerAccount, int]:
    """The balance of each account for an order, in minor units; without those that are even."""
    rows = await session.execute(
        select(LedgerEntry.account, func.sum(LedgerEntry.amount))
        .where(LedgerEntry.order_id == order.id)
        .group_by(LedgerEntry.account)
    )
    return {account: int(total) for account, total in rows if total}


def current_status(shipment: Shipment) -> ShipmentStatus:
    """The status as it is now; the type checker would remember the one compared before."""
    return shipment.status
