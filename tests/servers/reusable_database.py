"""A database for many tests, restored after each: much quicker than making a new one."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from tests.servers.postgres import PostgresServer

PREPARE = """
CREATE SCHEMA initial;
CREATE TABLE initial.schema_changes (command text);
CREATE FUNCTION initial.note_change() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO initial.schema_changes
        SELECT command_tag FROM pg_event_trigger_ddl_commands() WHERE schema_name = 'public';
END $$;
CREATE FUNCTION initial.note_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO initial.schema_changes
        SELECT object_type FROM pg_event_trigger_dropped_objects() WHERE schema_name = 'public';
END $$;

DO $$
DECLARE
    name text;
    number bigint;
    steps text := '';
BEGIN
    -- DELETE of a few rows is much quicker than TRUNCATE, which makes new files for tables and indexes.
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        steps := steps || format('IF EXISTS (TABLE public.%1$I) THEN DELETE FROM public.%1$I; END IF;', name);
        EXECUTE format('SELECT count(*) FROM public.%I', name) INTO number;
        IF number > 0 THEN
            EXECUTE format('CREATE TABLE initial.%1$I AS TABLE public.%1$I', name);
            steps := steps || format(
                'INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE TABLE initial.%1$I;', name);
        END IF;
    END LOOP;
    FOR name, number IN SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' LOOP
        steps := steps || format('PERFORM setval(''public.%I'', %s, %L);',
            name, coalesce(number, 1), number IS NOT NULL);
    END LOOP;
    EXECUTE format('CREATE FUNCTION initial.restore_rows() RETURNS void LANGUAGE plpgsql AS %L',
        format('BEGIN %s END', steps));
END $$;

CREATE EVENT TRIGGER note_change ON ddl_command_end EXECUTE FUNCTION initial.note_change();
CREATE EVENT TRIGGER note_drop ON sql_drop EXECUTE FUNCTION initial.note_drop();
"""
END_BUSY_CONNECTIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND state IS DISTINCT FROM 'idle'
"""
WITHOUT_TRIGGERS = {"session_replication_role": "replica"}


@dataclass
class ReusableFile:
    """A copy of an SQLite template that can be restored to the template's content."""

    path: Path
    template: Path

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.path}"

    def create(self) -> None:
        shutil.copy(self.template, self.path)

    def restore(self) -> None:
        """Restore tables and rows, while the connections of the tests stay open."""
        with closing(sqlite3.connect(self.template)) as template, closing(sqlite3.connect(self.path)) as copy:
            copy.execute("PRAGMA synchronous = OFF")
            template.backup(copy)


@dataclass
class ReusableDatabase:
    """A copy of a PostgreSQL template that can be restored to the template's content."""

    server: "PostgresServer"
    name: str
    template: str
    connection: asyncpg.Connection | None = None

    @property
    def url(self) -> str:
        return self.server.url_of(self.name)

    async def create(self) -> None:
        """Copy the template, and prepare the copy for being restored."""
        await self.drop()
        await self.server.create_from_template(self.name, self.template)
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = await asyncpg.connect(address, server_settings=WITHOUT_TRIGGERS)
        await self.connection.execute(PREPARE)

    async def restore_rows(self) -> bool:
        """Restore the initial rows, while idle connections stay open.

        False when a test has changed tables: then only `create` restores the template's content.
        """
        assert self.connection
        await self.connection.fetch(END_BUSY_CONNECTIONS)
        if await self.connection.fetchval("SELECT EXISTS (TABLE initial.schema_changes)"):
            return False
        await self.connection.execute("SELECT initial.restore_rows()")
        return True

    async def drop(self) -> None:
        if self.connection:
            await self.connection.close()
        await self.server.drop_database(self.name)
