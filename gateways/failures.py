"""Errors as text for logs, without the values of a request: their messages may repeat passwords."""

import sqlite3
import traceback
from collections.abc import Iterator
from types import TracebackType

import asyncpg

MESSAGE_LIMIT = 500
FRAMES_LIMIT = 50
CHAIN_LIMIT = 10
"""Errors of one chain of causes."""

ABOUT_CODE = (AttributeError, ImportError, NameError, NotImplementedError, RecursionError, TypeError)
"""Their messages name what stands in the code, not what a request has brought."""

DATA_EXCEPTION = "22"
"""The class of SQLSTATE whose messages repeat the value (PostgreSQL, appendix A)."""

SQLITE_STATES = ("database ", "disk ", "no such table", "unable to open")
"""What messages of SQLite begin with that say nothing of values; others may repeat a search."""


def describe_failure(error: BaseException) -> str:
    """The class of an error, and its message where that cannot hold a value."""
    name, message = type(error).__qualname__, safe_message(error)
    return f"{name}: {message[:MESSAGE_LIMIT]}" if message else name


def safe_message(error: BaseException) -> str:
    """The message of an error without values of a request; empty where it may hold one."""
    match error:
        case asyncpg.PostgresError():
            state = str(error.sqlstate or "")
            # Only the first line: the detail of a constraint repeats the row.
            return "" if state.startswith(DATA_EXCEPTION) else first_argument(error)
        case sqlite3.IntegrityError():
            return first_argument(error)
        case sqlite3.OperationalError() if first_argument(error).startswith(SQLITE_STATES):
            return first_argument(error)
        case OSError():
            return error.strerror or ""
        case _ if isinstance(error, ABOUT_CODE):
            return first_argument(error)
    return ""


def first_argument(error: BaseException) -> str:
    lines = str(error.args[0]).splitlines() if error.args else []
    return lines[0] if lines else ""


def describe_traceback(error: BaseException) -> str:
    """Where an error was raised and what caused it, the first cause first: files, lines, functions."""
    return "\n".join(line for each in chain_of(error) for line in describe_one(each))


def chain_of(error: BaseException) -> list[BaseException]:
    """The error behind its causes, at most CHAIN_LIMIT."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain and len(chain) < CHAIN_LIMIT:
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain[::-1]


def describe_one(error: BaseException) -> Iterator[str]:
    yield from describe_frames(error.__traceback__)
    yield describe_failure(error)
    for part in error.exceptions[:CHAIN_LIMIT] if isinstance(error, BaseExceptionGroup) else ():
        yield from (f"  | {line}" for line in describe_traceback(part).splitlines())


def describe_frames(trace: TracebackType | None) -> Iterator[str]:
    """A line for each of the last FRAMES_LIMIT frames."""
    for frame, number in list(traceback.walk_tb(trace))[-FRAMES_LIMIT:]:
        yield f"  {frame.f_code.co_filename}:{number} in {frame.f_code.co_qualname}"
