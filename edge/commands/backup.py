"""Backup of the database into one file while the shop runs, and restore into an empty database."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, make_url

from models.database import Database, sqlite_file

SQLITE_START, POSTGRESQL_START = b"SQLite format 3\0", b"PGDMP"
"""How the files begin: a database of SQLite, and an archive of pg_dump in its custom format."""

PRIVATE = 0o600
"""A backup holds everything about everybody."""


CLIENT_OPTIONS = ("--no-owner", "--no-privileges", "--no-password")
"""Whoever restores owns the tables, and nobody is asked for a password."""


class BackupFailed(Exception):
    """The backup or the restore was not made; nothing is left half done."""


def back_up_database(url: str, file: Path) -> int:
    """Write the database as it is at one moment into a new file; returns its size in bytes.

    Raises BackupFailed when there is such a file already or the database cannot be read.
    """
    if file.exists():
        raise BackupFailed(f"{file} exists already.")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=PRIVATE)
        if database := sqlite_file(url):
            copy_sqlite(database, part)
        else:
            run_client("pg_dump", url, "--format=custom", f"--file={part}")
        part.rename(file)
    except OSError as error:
        raise BackupFailed(f"{error.filename}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore_database(url: str, file: Path) -> None:
    """Fill an empty database from a backup, completely or not at all.

    Raises BackupFailed when the file is no backup of this kind of database, or the database has tables.
    """
    with file.open("rb") as opened:
        start = opened.read(len(SQLITE_START))
    database = sqlite_file(url)
    expected = SQLITE_START if database else POSTGRESQL_START
    if not start.startswith(expected):
        raise BackupFailed(f"{file} is no backup of {'an SQLite' if database else 'a PostgreSQL'} database.")
    if database:
        database.parent.mkdir(parents=True, exist_ok=True)
    if tables := asyncio.run(find_tables(url)):
        raise BackupFailed(f"The database is not empty: it has the table {tables[0]}.")
    if database:
        copy_sqlite(file, database)
    else:
        run_client("pg_restore", url, "--single-transaction", "--exit-on-error", str(file))


async def find_tables(url: str) -> list[str]:
    """The names of the tables of a database."""

    def list_names(connection: Connection) -> list[str]:
        return sorted(inspect(connection).get_table_names())

    database = Database.open(url, pool_size=1)
    try:
        async with database.readers.connect() as connection:
            return await connection.run_sync(list_names)
    finally:
        await database.close()


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database in one read transaction: others may write to it meanwhile."""
    if not source.exists():
        raise BackupFailed(f"There is no database {source}.")
    try:
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
            original.backup(copy)
    except sqlite3.Error as error:
        raise BackupFailed(f"SQLite: {error}") from None


def run_client(program: str, url: str, *arguments: str) -> None:
    """Run a program of PostgreSQL with the address of the database; its password is in no argument."""
    if not shutil.which(program):
        raise BackupFailed(f"{program} is not installed (Debian and Ubuntu: apt install postgresql-client).")
    address = make_url(url)
    finished = subprocess.run(
        [program, *CLIENT_OPTIONS, *arguments, f"--dbname={address.database or 'postgres'}"],
        env={**os.environ, **connection_variables(address)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if finished.returncode:
        raise BackupFailed(finished.stderr.strip() or f"{program} ended with status {finished.returncode}.")


def connection_variables(address: URL) -> Mapping[str, str]:
    """The environment variables from which programs of PostgreSQL read where the server is, and who asks."""
    host = address.query.get("host", address.host)
    values = {
        "PGHOST": host if isinstance(host, str) else None,
        "PGPORT": str(address.port) if address.port else None,
        "PGUSER": address.username,
        "PGPASSWORD": str(address.password) if address.password else None,
    }
    return {name: value for name, value in values.items() if value is not None}
