"""The inventory of personal data names every text of every table that belongs to an account."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import KeyedColumnElement

from domain.events import EVENT_TYPES
from domain.events.types import facts_of, hints_of
from domain.knowledge import account_reader
from domain.personal_data.belongings import reader_key
from domain.personal_data.inventory import (
    PERSONAL_TABLES,
)
from domain.personal_data.texts import EVENT_FACTS, EVENT_TEXTS, NOT_PERSONAL
from models import Base

BY_OTHERS = {
    "agreement_rules": "work of the office, for the shop",
    "article_versions": "articles are the shop's",
    "articles": "articles are the shop's, with the account that answers for them",
    "carrier_rules": "work of the office, for the shop",
    "cash_hand_ins": "work of the warehouse, for the shop; never edited",
    "course_versions": "courses are the shop's",
    "delivery_runs": "work of a courier, for the shop",
    "price_changes": "work of the catalogue, for the shop",
    "urgent_terms": "work of the office, for the shop",
    "waves": "work of the warehouse, for the shop",
    "stock_movements": "work of the warehouse, for the shop; never edited",
}
"""Tables that refer to an account of somebody who worked for the shop, and hold nothing about a customer."""

ROOTS = {"accounts", "orders", "tickets", "shipments", "carts", "deliveries"}
"""Tables whose rows belong to an account; so does every row that refers to one of them."""

TEXTS = (sa.String, sa.JSON)


def is_text(column: KeyedColumnElement[object]) -> bool:
    return isinstance(column.type, TEXTS) and not isinstance(column.type, sa.Enum)


def test_every_table_that_belongs_to_an_account_is_in_the_inventory() -> None:
    known = {model.__tablename__ for model in PERSONAL_TABLES}
    referring = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name in ROOTS for key in table.foreign_keys)
    }
    assert referring - known == set(BY_OTHERS)


def test_every_text_of_a_personal_table_is_erased_or_has_a_reason_to_stay() -> None:
    left = {
        f"{model.__tablename__}.{column.name}"
        for model, table in PERSONAL_TABLES.items()
        for column in model.__table__.c
        if not table.deleted and is_text(column) and column.name not in table.erased
    }
    needed = {name for name in NOT_PERSONAL if not name.startswith("idempotency_keys")}
    assert left == needed


def test_every_erased_column_exists_and_may_hold_what_it_is_left_with() -> None:
    for model, table in PERSONAL_TABLES.items():
        for name, value in table.erased.items():
            assert value is not None or model.__table__.c[name].nullable, f"{model.__tablename__}.{name}"
        assert table.secret <= set(model.__table__.c.keys())


def test_every_text_of_an_event_is_erased_or_a_number() -> None:
    texts = {
        field.name
        for name, event_type in EVENT_TYPES.items()
        for field in facts_of(event_type)
        if "str" in str(hints_of(name)[field.name])
    }
    assert texts == EVENT_TEXTS | EVENT_FACTS


def test_a_reader_is_named_as_ratings_name_them() -> None:
    assert reader_key(7) == account_reader(7)
