"""Inserting rows of several tables that refer to each other, before any of them has an id."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CTE, FromClause, insert, select
from sqlalchemy.sql import Executable

from models.sql.dialects import column_types
from models.sql.types import AnyExpression


@dataclass(slots=True)
class LinkedInserts:
    """INSERTs of bound rows; each finds the rows it refers to among those inserted before.

    On PostgreSQL they are CTEs of one statement and see each other's RETURNING, on SQLite they run one after
    the other and see the tables.
    """

    dialect: str
    ctes: list[CTE] = field(default_factory=list)
    statements: list[Executable] = field(default_factory=list)

    def insert(
        self,
        model: type[Any],
        rows: FromClause,
        source: FromClause,
        *,
        order_by: Sequence[AnyExpression],
        found_by: Sequence[str] = (),
        **references: AnyExpression,
    ) -> FromClause:
        """Insert `rows`, with the columns in `references` taken from `source`, which joins `rows`.

        Returns the inserted rows with their ids and the columns `found_by`, for later INSERTs to join.
        """
        table = model.__table__
        values = {name: rows.c[name] for name in column_types(model) if name not in references} | references
        statement = insert(table).from_select(
            list(values), select(*values.values()).select_from(source).order_by(*order_by)
        )
        if self.dialect == "sqlite":
            self.statements.append(statement)
            return table  # type: ignore[no-any-return]
        keys = [table.c[name] for name in found_by]
        inserted = statement.returning(*keys, table.c.id).cte(f"new_{table.name}")
        self.ctes.append(inserted)
        return inserted

    def add(self, name: str, statement: Any) -> None:
        """One more statement that returns nothing, in the same round trip."""
        if self.dialect == "sqlite":
            self.statements.append(statement)
        else:
            self.ctes.append(statement.cte(name))

    def returning_ids(self, inserted: FromClause, rows: FromClause, *, key: str) -> list[Executable]:
        """Everything, ready to run; the result is key and id of `inserted`, which were bound as `rows`."""
        ids = select(inserted.c[key], inserted.c.id)
        if self.dialect == "sqlite":
            return [*self.statements, ids.where(inserted.c[key].in_(select(rows.c[key])))]
        return [ids.add_cte(*self.ctes)]
