"""The migration to carriers as rows leaves every parcel with its carrier."""

from typing import Any

from alembic import command
from sqlalchemy import Connection, text

from migrations.runner import alembic_config, upgrade
from models.database import sqlite_file
from tests.test_migrations import ask, empty_url

__all__ = ["empty_url"]

DAY = "'2026-01-02 00:00:00'"
PARCELS = [
    "INSERT INTO shipments (id, number, order_id, delivery_id, warehouse_id, status, carrier,"
    " tracking_number, weight_grams, version, packed_at, poll_at)"
    f" VALUES ({id}, 'S{id}', 1, 1, 1, 'IN_TRANSIT', {carrier}, {number}, 500, 3, {DAY}, NULL)"
    for id, carrier, number in ((7, "'SIMULATED'", "'W7'"), (8, "'OWN'", "'S8'"), (9, "NULL", "NULL"))
]
EVENT = (
    "INSERT INTO tracking_events (id, shipment_id, status, code, description, location, occurred_at,"
    f" received_at) VALUES (1, 7, 'IN_TRANSIT', 'IN_TRANSIT-2', 'left', '', {DAY}, {DAY})"
)


def insert_rows(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET session_replication_role = replica")  # without the rows referred to
    for statement in (*PARCELS, EVENT):
        connection.exec_driver_sql(statement)
    connection.commit()


def read(statement: str) -> Any:
    def select(connection: Connection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute(text(statement))]

    return select


def test_parcels_keep_their_carriers_and_events_and_both_carriers_are_rows(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    command.upgrade(alembic_config(empty_url), "0049")
    ask(empty_url, insert_rows)

    upgrade(empty_url)

    assert ask(empty_url, read("SELECT id, carrier, tracking_number FROM shipments ORDER BY id")) == [
        (7, "SIMULATED", "W7"),
        (8, "OWN", "S8"),
        (9, None, None),
    ]
    assert ask(empty_url, read("SELECT code, description, text_hash FROM tracking_events")) == [
        ("IN_TRANSIT-2", "left", None)
    ]
    assert ask(empty_url, read("SELECT code, connection, position, version FROM carriers ORDER BY id")) == [
        ("SIMULATED", "SIMULATED", 1, 1),
        ("OWN", "OWN_COURIERS", 2, 1),
    ]


def test_there_and_back_again_parcels_keep_their_carriers_and_events(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    config = alembic_config(empty_url)
    command.upgrade(config, "0049")
    ask(empty_url, insert_rows)
    command.upgrade(config, "0052")
    first = ask(empty_url, read("SELECT code, connection, position, version FROM carriers ORDER BY id"))

    command.downgrade(config, "0049")
    parcels = read("SELECT id, carrier, tracking_number, version FROM shipments ORDER BY id")
    back = ask(empty_url, parcels)
    upgrade(empty_url)

    assert back == [(7, "SIMULATED", "W7", 3), (8, "OWN", "S8", 3), (9, None, None, 3)]
    assert ask(empty_url, parcels) == back
    assert ask(empty_url, read("SELECT shipment_id, code, description FROM tracking_events")) == [
        (7, "IN_TRANSIT-2", "left")
    ]
    again = ask(empty_url, read("SELECT code, connection, position, version FROM carriers ORDER BY id"))
    assert again == first
