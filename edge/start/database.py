"""Whether the database answers, and has the tables of this release."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from edge.start.refusal import UNAVAILABLE, WRONG, StartRefused
from migrations.revisions import known_revisions
from models.database import Database, sqlite_file

log = structlog.get_logger()

NAME = "DATABASE_URL"
ANSWER_SECONDS = 10.0
"""How long the database may take to answer."""

REFUSALS: Mapping[str, tuple[str, int]] = {
    "28P01": ("refuses the password of user {user}", WRONG),
    "28000": ("does not let user {user} in", WRONG),
    "3D000": ("has no database {database}", WRONG),
    "42501": ("does not let user {user} use the database {database}", WRONG),
    "53300": ("has no connection left", UNAVAILABLE),
    "57P03": ("is just starting or shutting down", UNAVAILABLE),
}
"""What PostgreSQL says by its error codes (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


async def check_database(url: str, *, migrated: bool, seconds: float = ANSWER_SECONDS) -> None:
    """StartRefused unless the database answers and, with `migrated`, has the tables of this release.

    A database of a newer release may serve this one, as it does while processes are replaced one by one: that
    is logged. Only migrating it from here is refused.
    """
    if file := sqlite_file(url):
        check_file(file, may_be_missing=not migrated)
    revision = await read_revision(url, seconds=seconds)
    known = known_revisions()
    if revision is not None and revision not in known:
        newer = f"the database is at revision {revision}, which this release does not know"
        if not migrated:
            raise StartRefused(NAME, f"{newer}: run `cartwheel migrate` of the release that made it")
        log.warning("start.database_is_newer", revision=revision, newest_known=known[-1])
    elif migrated and revision is None:
        raise StartRefused(
            NAME, f"the database has no tables yet; this release needs revision {known[-1]}: {MIGRATE}"
        )
    elif migrated and revision != known[-1]:
        raise StartRefused(
            NAME, f"the database is at revision {revision}; this release needs {known[-1]}: {MIGRATE}"
        )


MIGRATE = "run `cartwheel migrate`"


async def read_revision(url: str, *, seconds: float) -> str | None:
    """The revision of the database, None where it has none; StartRefused where it does not answer."""
    database = Database.open(url, pool_size=1)
    try:
        async with asyncio.timeout(seconds):
            return await database.read_revision()
    except TimeoutError:
        raise StartRefused(NAME, f"{place_of(url)} does not answer within {seconds:g} s") from None
    except Exception as error:
        raise describe_failure(url, error) from None
    finally:
        await database.close()


def describe_failure(url: str, error: BaseException) -> StartRefused:
    """What kept the database from answering, in one line."""
    cause = getattr(error, "orig", None) or error
    place, parts = place_of(url), make_url(url)
    if code := str(getattr(cause, "sqlstate", None) or getattr(cause.__cause__, "sqlstate", None) or ""):
        reason, exit_code = REFUSALS.get(
            code, (f"refuses the connection by the error code {code}", UNAVAILABLE)
        )
        reason = reason.format(user=parts.username, database=parts.database)
        return StartRefused(NAME, f"{place} {reason}", exit_code=exit_code)
    match cause:
        case socket.gaierror():
            return StartRefused(NAME, f"no address is known for the host {parts.host}")
        case ConnectionRefusedError():
            return StartRefused(NAME, f"{place} refuses connections: does the server run?")
        case ssl.SSLError():
            return StartRefused(NAME, f"{place} speaks no TLS that is trusted here")
        case OSError(strerror=str(reason)):
            return StartRefused(NAME, f"{place} cannot be reached: {reason}")
    if sqlite_file(url):  # SQLite's messages are fixed sentences
        return StartRefused(NAME, f"{place} cannot be used: {cause}")
    kind = type(cause).__name__ if not isinstance(cause, SQLAlchemyError) else type(error).__name__
    return StartRefused(NAME, f"{place} does not answer as PostgreSQL does: {kind}")


def place_of(url: str) -> str:
    """Where the database is, without user and password."""
    parts = make_url(url)
    if file := sqlite_file(url):
        return str(file)
    if parts.get_backend_name() == "sqlite":
        return "the database in memory"
    return f"{parts.host or parts.query.get('host', 'the local socket')}:{parts.port or 5432}"


def check_file(file: Path, *, may_be_missing: bool) -> None:
    """StartRefused unless the file of an SQLite database, and its folder, can be used."""
    if file.is_dir():
        raise StartRefused(NAME, f"{file} is a folder", exit_code=WRONG)
    if file.exists():
        return
    if not may_be_missing:
        raise StartRefused(NAME, f"there is no file {file} yet: {MIGRATE}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartRefused(
            NAME, f"the folder {file.parent} cannot be made: {error.strerror}", exit_code=WRONG
        ) from None
