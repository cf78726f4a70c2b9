"""Migrations on PostgreSQL that can be run again after they stopped in between.

A migration with an index that is made concurrently is several transactions: what came before the index
stays when that fails, and the revision is not noted. So each operation takes what it finds: a table, column,
index or constraint is made where it is missing and dropped where it is there. An index that was being made
concurrently is there though nobody may use it: it is dropped first.

What a migration executes as SQL of its own has to say so itself; the tests read that.
"""

from typing import Any

from alembic.ddl.base import AddColumn, DropColumn
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import Column, Constraint, Index, Table
from sqlalchemy.schema import CreateTable, DropConstraint, DropIndex, DropTable


class RepeatableOperations(PostgresqlImpl):
    """What Alembic's operations do on PostgreSQL; it registers itself by the name of the dialect."""

    __dialect__ = "postgresql"

    def create_table(self, table: Table, **kw: Any) -> None:
        self._exec(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            self.create_index(index)

    def drop_table(self, table: Table, **kw: Any) -> None:
        self._exec(DropTable(table, if_exists=True))

    def add_column(self, table_name: str, column: Column[Any], **kw: Any) -> None:
        self._exec(AddColumn(table_name, column, **{**kw, "if_not_exists": True}))

    def drop_column(self, table_name: str, column: Column[Any], **kw: Any) -> None:
        self._exec(DropColumn(table_name, column, schema=kw.get("schema"), if_exists=True))

    def add_constraint(self, const: Constraint, **kw: Any) -> None:
        self._exec(DropConstraint(const, if_exists=True))
        super().add_constraint(const, **kw)

    def drop_constraint(self, const: Constraint, **kw: Any) -> None:
        self._exec(DropConstraint(const, if_exists=True))

    def create_index(self, index: Index, **kw: Any) -> None:
        if index.dialect_options["postgresql"]["concurrently"]:
            self.drop_index(index)
        super().create_index(index, **{**kw, "if_not_exists": True})

    def drop_index(self, index: Index, **kw: Any) -> None:
        self._exec(DropIndex(index, if_exists=True))
