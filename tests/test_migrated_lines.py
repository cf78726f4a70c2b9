"""A database of SQLite that kept the CHECK of before beside the new one loses it."""

from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from migrations.runner import alembic_config, upgrade
from tests.test_migrations import ask

NAME = "ck_delivery_lines_packed"
NOW = "CHECK (0 <= packed AND packed <= quantity)"
BEFORE = f"CONSTRAINT {NAME} CHECK (quantity > 0 AND 0 <= packed AND packed <= quantity)"
COLUMNS = "id, delivery_id, order_line_id, warehouse_id, quantity, packed, reserved"


def add_check_of_before(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    added = f"replace(sql, '{NOW}', '{NOW}, {BEFORE}')"
    connection.exec_driver_sql(f"UPDATE sqlite_master SET sql = {added} WHERE name = 'delivery_lines'")
    connection.commit()
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")


def add_empty_line(connection: Connection) -> None:
    connection.exec_driver_sql(f"INSERT INTO delivery_lines ({COLUMNS}) VALUES (1, 1, 1, 1, 0, 0, 0)")


def count_checks(connection: Connection) -> int:
    table = "SELECT sql FROM sqlite_master WHERE name = 'delivery_lines'"
    return str(connection.exec_driver_sql(table).scalar_one()).count(NAME)


def test_a_line_may_be_emptied_where_the_check_of_before_was_kept(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"
    command.upgrade(alembic_config(url), "0076")
    ask(url, add_check_of_before)
    assert ask(url, count_checks) == 2

    upgrade(url)

    assert ask(url, count_checks) == 1
    ask(url, add_empty_line)
