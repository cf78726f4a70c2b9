"""One PostgreSQL database for many tests, restored after each: much quicker than making a new one."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from tests.servers.postgres import PostgresServer

SCHEMA_DIGEST = """
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT format('%s %s %s', relname, relkind, relnatts) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s', conname, convalidated) FROM pg_constraint
    UNION ALL SELECT format('%s %s', tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT format('%s %s', proname, md5(prosrc)) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
) AS described (line)
"""
TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
SEQUENCES = """
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
END_OTHER_CONNECTIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass
class ReusableDatabase:
    """A copy of a template database that can be restored to the template's content."""

    server: "PostgresServer"
    name: str
    template: str
    schema_digest: str = ""
    tables: list[str] = field(default_factory=list)
    initial_tables: list[str] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url_of(self.name)

    async def create(self) -> None:
        """Copy the template and note its tables, rows and sequences."""
        await self.server.drop_database(self.name)
        await self.server.create_from_template(self.name, self.template)
        connection = await self._connect()
        try:
            self.schema_digest = await connection.fetchval(SCHEMA_DIGEST)
            self.tables = [row[0] for row in await connection.fetch(TABLES)]
            self.initial_tables = await self._filled_tables(connection)
            self.sequences = {row[0]: row[1] for row in await connection.fetch(SEQUENCES)}
            await connection.execute("CREATE SCHEMA initial")
            for table in self.initial_tables:
                await connection.execute(f'CREATE TABLE initial."{table}" AS TABLE public."{table}"')
        finally:
            await connection.close()

    async def restore(self) -> None:
        """Restore the initial rows; copy the template again when a test has changed tables."""
        connection = await self._connect()
        try:
            await connection.execute(END_OTHER_CONNECTIONS)
            if await connection.fetchval(SCHEMA_DIGEST) == self.schema_digest:
                await self._restore_rows(connection)
                return
        finally:
            await connection.close()
        await self.create()

    async def _restore_rows(self, connection: asyncpg.Connection) -> None:
        # DELETE of a few rows is much quicker than TRUNCATE, which makes new files for tables and indexes.
        steps = ["SET session_replication_role = replica"]
        steps += [f'DELETE FROM public."{table}"' for table in await self._filled_tables(connection)]
        for table in self.initial_tables:
            steps.append(f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE TABLE initial."{table}"')
        for name, _ in await connection.fetch(SEQUENCES):
            steps.append(f'ALTER SEQUENCE public."{name}" RESTART')
        steps += [f"""SELECT setval('public."{name}"', {last})""" for name, last in self.sequences.items()]
        await connection.execute(";".join(steps))

    async def _filled_tables(self, connection: asyncpg.Connection) -> list[str]:
        """Return the tables that have rows."""
        query = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (TABLE \"{name}\")" for name in self.tables)
        return [row[0] for row in await connection.fetch(query)]

    async def _connect(self) -> asyncpg.Connection:
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return await asyncpg.connect(address)
