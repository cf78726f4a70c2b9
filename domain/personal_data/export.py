"""Everything the shop knows of an account, as rows of plain values."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum

from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.personal_data.inventory import PERSONAL_TABLES, PersonalTable
from models import Base, TicketMessage

ExportedValue = str | int | float | bool | None | Sequence[object] | Mapping[str, object]
ExportedRow = Mapping[str, ExportedValue]
ExportedRows = Mapping[str, Sequence[ExportedRow]]
"""Table -> its rows."""

ROWS_LIMIT = 100_000
"""Rows of one table in one export."""


async def export_account(session: AsyncSession, account_id: int) -> ExportedRows:
    """Every row that is the account's, by table, without secrets and notes of the staff for themselves.

    Read it with one snapshot, so that it is of one moment.
    """
    exported: dict[str, Sequence[ExportedRow]] = {}
    for model, table in PERSONAL_TABLES.items():
        if table.exported:
            condition = table.belongs(account_id)
            if model is TicketMessage:
                condition &= TicketMessage.internal.is_(False)
            rows = await session.scalars(select(model).where(condition).limit(ROWS_LIMIT))
            exported[model.__tablename__] = [dict(plain_columns(row, table)) for row in rows]
    return exported


def plain_columns(row: Base, table: PersonalTable) -> Iterator[tuple[str, ExportedValue]]:
    """Name and value of each column that is not a secret."""
    for column in inspect(type(row)).columns:
        if column.key not in table.secret:
            yield column.key, plain_value(getattr(row, column.key))


def plain_value(value: object) -> ExportedValue:
    """A value as JSON has it: times in ISO 8601, statuses by their names."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return str(value)
