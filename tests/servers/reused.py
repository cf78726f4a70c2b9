"""One database for many tests, put back to its beginning after each: far quicker than a new one."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from tests.servers.postgres import PostgresServer

SHAPE = """
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT format('%s %s %s', relname, relkind, relnatts) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s', conname, convalidated) FROM pg_constraint
    UNION ALL SELECT format('%s %s', tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT format('%s %s', proname, md5(prosrc)) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
) AS shape (line)
"""
TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
COUNTERS = """
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass
class Reused:
    """A copy of a template that remembers what it held when it was new."""

    server: "PostgresServer"
    name: str
    template: str
    shape: str = ""
    tables: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url_of(self.name)

    async def make(self) -> None:
        await self.server.drop_database(self.name)
        await self.server.create_from_template(self.name, self.template)
        connection = await self._connect()
        try:
            self.shape = await connection.fetchval(SHAPE)
            self.tables = [row[0] for row in await connection.fetch(TABLES)]
            self.kept = await self._filled(connection)
            self.counters = {row[0]: row[1] for row in await connection.fetch(COUNTERS)}
            await connection.execute("CREATE SCHEMA first")
            for table in self.kept:
                await connection.execute(f'CREATE TABLE first."{table}" AS TABLE public."{table}"')
        finally:
            await connection.close()

    async def restore(self) -> None:
        """As it was when it was new; made anew when a test has changed more than rows."""
        connection = await self._connect()
        try:
            await connection.execute(OTHERS)
            if await connection.fetchval(SHAPE) == self.shape:
                await self._empty(connection)
                return
        finally:
            await connection.close()
        await self.make()

    async def _empty(self, connection: asyncpg.Connection) -> None:
        """Deleting some rows is much quicker than truncating, which makes new files for table and indexes."""
        steps = ["SET session_replication_role = replica"]
        steps += [f'DELETE FROM public."{table}"' for table in await self._filled(connection)]
        for table in self.kept:
            steps.append(f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE TABLE first."{table}"')
        for name, _ in await connection.fetch(COUNTERS):
            steps.append(f'ALTER SEQUENCE public."{name}" RESTART')
        steps += [f"""SELECT setval('public."{name}"', {last})""" for name, last in self.counters.items()]
        await connection.execute(";".join(steps))

    async def _filled(self, connection: asyncpg.Connection) -> list[str]:
        asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (TABLE \"{name}\")" for name in self.tables)
        return [row[0] for row in await connection.fetch(asked)]

    async def _connect(self) -> asyncpg.Connection:
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return await asyncpg.connect(address)
