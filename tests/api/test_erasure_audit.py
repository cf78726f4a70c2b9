"""The audit finds what is left of an erased account, and nothing that is another customer's."""

from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.requests import cancel_ticket
from domain.audit.personal_data import OWNER, find_left_by_table
from domain.cause import Cause
from domain.personal_data.inventory import PERSONAL_TABLES, PersonalTable
from events.shop import Shop
from models import (
    Account,
    ArchivedEvent,
    Base,
    GuestAccount,
    OrderStatus,
    Refund,
    TicketStatus,
    TicketType,
    TrackingEvent,
)
from models.base import UtcDateTime
from tests.api.test_erasure import MARK, MARKS, account_of, erase, live_a_full_life
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT, Clock
from tests.factories.account import create_account, create_address
from tests.factories.aftersales import DEADLINES, create_ticket
from tests.factories.cart import create_cart
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.observe import assert_books_agree, run_until_idle


@pytest.fixture
async def mei(shop: Shop, clients: Clients, session: AsyncSession) -> Client:
    """A customer with everything that one can leave behind, beside another one with the same."""
    account = await create_account(session, name=f"{MARK} name", email=f"{MARK}@example.com", phone=MARKS[1])
    await session.commit()
    client = await clients.customer(account)
    await live_a_full_life(shop, session, client)
    await live_another_life(session)
    await run_until_idle(shop)
    return client


async def live_another_life(session: AsyncSession) -> None:
    other = await create_account(session, name="Other", email="other@example.com")
    await create_address(session, other, recipient="Other")
    goods = await variant_of(session, await create_product(session))
    await create_cart(session, other, lines={goods: 1})
    order = await create_order(session, account=other, status=OrderStatus.COMPLETED, now=STARTED_AT)
    ticket = await create_ticket(session, order=order, description="Other leaks", now=STARTED_AT)
    cause = Cause(STARTED_AT, other.id)
    await add_message(session, ticket.id, MessageDraft("Other body"), DEADLINES, cause=cause)
    await cancel_ticket(session, ticket.id, DEADLINES, cause=cause)
    returned = await create_order(session, account=other, status=OrderStatus.COMPLETED, now=STARTED_AT)
    await create_ticket(
        session, order=returned, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING, now=STARTED_AT
    )
    await session.commit()


async def find_tables_left(session: AsyncSession) -> set[tuple[str, str]]:
    """Account and table of all that is left."""
    found: set[tuple[str, str]] = set()
    for query in find_left_by_table():
        found |= {(row.row, row.found) for row in await session.execute(query)}
    await session.commit()
    return found


async def test_the_books_agree_after_an_erasure_beside_another_customer(
    shop: Shop, session: AsyncSession, clock: Clock, mei: Client
) -> None:
    for model in (Refund, TrackingEvent):
        assert await session.scalar(sa.select(sa.func.count()).select_from(model))
    await session.execute(sa.delete(ArchivedEvent))  # an event without the ones before it
    await session.commit()

    await erase(shop, clock, mei)

    await assert_books_agree(shop)


async def test_an_erased_account_without_orders_has_nothing_left(session: AsyncSession, mei: Client) -> None:
    erased = await create_account(session)
    erased.name, erased.email, erased.phone, erased.password_hash = "", None, None, ""
    erased.language, erased.erased_at = None, STARTED_AT
    await session.commit()

    assert await find_tables_left(session) == set()


async def test_something_left_in_any_table_of_an_erased_account_is_found(
    session: AsyncSession, mei: Client
) -> None:
    owner = account_of(mei)
    await session.execute(sa.update(Account).where(Account.id == owner.id).values(erased_at=STARTED_AT))
    await leave_rows(session, owner.id)
    await session.commit()

    found = await find_tables_left(session)

    compared = {
        model.__tablename__ for model, table in PERSONAL_TABLES.items() if table.deleted or table.erased
    }
    assert found == {(f"account {owner.id}", table) for table in compared | {"archived_events"}}


OWNERS = {"account_id", "attempt_id", "courier_id", "order_id", "redeemed_by", "shipment_id", "waybill_id"}
"""Columns that say whose a row is and what it is about, also where they may be empty."""


async def leave_rows(session: AsyncSession, account_id: int) -> None:
    """Leave something personal of an account in each table."""
    for model, table in reversed(list(PERSONAL_TABLES.items())):
        if (table.deleted or table.erased) and await find_row_id(session, model, account_id) is None:
            await leave_row(session, model, account_id)
        if table.erased:
            left = {name: content_of(model.__table__.c[name].type) for name in table.erased}
            await session.execute(sa.update(model).where(table.belongs(account_id)).values(left))


async def find_row_id(session: AsyncSession, model: type[Base], account_id: int) -> int | None:
    """A row of a table: of the account, where rows of that table belong to somebody."""
    table = PERSONAL_TABLES.get(model)
    belongs = table.belongs(account_id) if table else sa.true()
    found: int | None = await session.scalar(
        sa.select(sa.func.max(next(iter(model.__table__.primary_key)))).where(belongs)
    )
    return found


async def leave_row(session: AsyncSession, model: type[Base], account_id: int) -> None:
    """Insert a row with a value in each column that must have one, and the rows that it refers to."""
    values: dict[str, object] = {}
    for column in model.__table__.c:
        if column.foreign_keys and (column.name in OWNERS or not column.nullable):
            referred = MODELS[next(iter(column.foreign_keys)).column.table.name]
            if await find_row_id(session, referred, account_id) is None:
                await leave_row(session, referred, account_id)
            values[column.name] = await find_row_id(session, referred, account_id)
        elif not (column.nullable or (column.primary_key and column.type.python_type is int)):
            values[column.name] = example_of(column.type)
    if model is GuestAccount:
        values["email"] = MARK  # it has a contact until it is closed
    await session.execute(sa.insert(model).values(values))


def content_of(type_: sa.types.TypeEngine[Any]) -> object:
    """Something personal that a column may hold."""
    if isinstance(type_, sa.LargeBinary):
        return MARK.encode()
    if isinstance(type_, UtcDateTime):
        return STARTED_AT
    if isinstance(type_, sa.Enum):
        return example_of(type_)
    return MARK if isinstance(type_, sa.String) else 1.0


def example_of(type_: sa.types.TypeEngine[Any]) -> object:
    if isinstance(type_, sa.Enum):
        return next(iter(type_.enum_class or type_.enums))
    if isinstance(type_, sa.JSON):
        return []
    kind = type_.python_type
    return {str: MARK, datetime: STARTED_AT, date: STARTED_AT.date()}.get(kind) or kind(1)


MODELS = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}


@pytest.mark.parametrize(
    ("model", "table"), PERSONAL_TABLES.items(), ids=lambda each: getattr(each, "__tablename__", "")
)
def test_the_rows_of_each_table_are_those_of_the_one_account_that_is_compared(
    model: type[Base], table: PersonalTable
) -> None:
    left = sa.exists().select_from(model).where(table.belongs(OWNER.id))
    statement = str(sa.select(OWNER.id).where(left))

    # a select that has an account of its own would match the rows of everybody
    assert statement.count("accounts AS ") == 1
    assert "accounts_1.id" in statement.partition("EXISTS")[2]
