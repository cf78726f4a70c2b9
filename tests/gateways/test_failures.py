"""An error is logged with its class and its place, and never with a value."""

import sqlite3

import httpx
import pytest
from sqlalchemy import Executable, insert, text

from domain.errors import Invalid
from events.shop import Shop
from gateways.failures import describe_failure, describe_traceback
from models import Account

SECRET = "mark-4711"


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (ValueError(SECRET), "ValueError"),
        (KeyError(SECRET), "KeyError"),
        (RuntimeError(SECRET), "RuntimeError"),
        (Invalid(SECRET), "Invalid"),
        (httpx.ConnectError(f"http://user:{SECRET}@shop/"), "ConnectError"),
        (sqlite3.OperationalError(f'fts5: syntax error near "{SECRET}"'), "OperationalError"),
        (sqlite3.OperationalError("database is locked"), "OperationalError: database is locked"),
        (TypeError("unsupported operand"), "TypeError: unsupported operand"),
        (ConnectionRefusedError(111, "Connection refused"), "ConnectionRefusedError: Connection refused"),
        (
            FileNotFoundError(2, "No such file or directory", SECRET),
            "FileNotFoundError: No such file or directory",
        ),
    ],
)
def test_only_a_message_that_cannot_hold_a_value_is_told(error: Exception, described: str) -> None:
    assert describe_failure(error) == described


async def test_an_error_of_the_database_names_its_constraint_and_no_value(shop: Shop) -> None:
    row = {"role": "NOBODY", "name": SECRET, "password_hash": SECRET, "email": SECRET}
    statements: list[Executable] = [
        insert(Account).values(**row),
        text(f"SELECT CAST('{SECRET}' AS INTEGER) FROM nowhere_{SECRET.replace('-', '_')}"),
        text("SELECT * FROM nowhere WHERE id = :id AND name = :name").bindparams(id=SECRET, name=SECRET),
    ]
    for statement in statements:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each database has its own
            await execute_in(shop, statement)

        described = describe_traceback(raised.value)

        assert SECRET not in described
        assert "in test_an_error_of_the_database_names_its_constraint_and_no_value" in described


async def execute_in(shop: Shop, statement: Executable) -> None:
    async with shop.database.writes.begin() as session:
        await session.execute(statement)


def test_a_chain_of_causes_is_told_from_the_first_one_on() -> None:
    def fail() -> None:
        password = SECRET
        try:
            raise KeyError(password)
        except KeyError as error:
            raise ExceptionGroup(SECRET, [ValueError(SECRET), TypeError("no len()")]) from error

    with pytest.raises(ExceptionGroup) as raised:
        fail()

    lines = describe_traceback(raised.value).splitlines()
    assert [line for line in lines if not line.startswith("  /")] == [
        "KeyError",
        "ExceptionGroup",
        "  | ValueError",
        "  | TypeError: no len()",
    ]
    assert sum(line.endswith("fail") for line in lines) == 2


def test_an_endless_recursion_is_told_by_its_last_frames() -> None:
    def recurse() -> None:
        recurse()

    with pytest.raises(RecursionError) as raised:
        recurse()

    assert len(describe_traceback(raised.value).splitlines()) == 51
