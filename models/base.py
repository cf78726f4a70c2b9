"""What all tables share: names of constraints, types of columns."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from models.money import Money

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite generates ids only for a key of type INTEGER."""

Json = sa.JSON().with_variant(JSONB, "postgresql")

Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Minor = Annotated[int, mapped_column(sa.BigInteger)]
"""An amount in minor units of the currency in the same row."""

JsonObject = dict[str, Any]
"""JSON whose fields the type checker does not know."""
Translations = dict[str, dict[str, str]]
"""Language tag -> field -> text."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which has no time zones, stores it without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime,
        Enum: sa.Enum(Enum, native_enum=False, length=32),
        JsonObject: Json,
        dict[str, str]: Json,
        dict[str, int]: Json,
        list[str]: Json,
        list[int]: Json,
        list[float]: Json,
        list[dict[str, int]]: Json,
        list[JsonObject]: Json,
        list[dict[str, str]]: Json,
        Translations: Json,
    }


class HasCurrency:
    """A row whose amounts are all in the currency of its `currency` column."""

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)  # type: ignore[attr-defined]


def partial_index(table: str, column: str) -> sa.Index:
    """Of the few rows of which a moment is set."""
    is_set = sa.text(f"{column} IS NOT NULL")
    return sa.Index(f"ix_{table}_{column}", column, sqlite_where=is_set, postgresql_where=is_set)
