"""Reads that do not depend on each other: one after the other in a session, which can do one thing at a time,
or all at once where they are combined into one statement."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar, overload

from sqlalchemy.ext.asyncio import AsyncSession

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")

Read = Coroutine[Any, Any, A]


class ReadsTogether:
    """A reader that may be asked for several things at once, as a session may not."""


async def read_nothing(value: A) -> A:
    """In place of what need not be read."""
    return value


@overload
async def read_together(session: AsyncSession, a: Read[A], b: Read[B], /) -> tuple[A, B]: ...
@overload
async def read_together(session: AsyncSession, a: Read[A], b: Read[B], c: Read[C], /) -> tuple[A, B, C]: ...
@overload
async def read_together(
    session: AsyncSession, a: Read[A], b: Read[B], c: Read[C], d: Read[D], /
) -> tuple[A, B, C, D]: ...
@overload
async def read_together(
    session: AsyncSession, a: Read[A], b: Read[B], c: Read[C], d: Read[D], e: Read[E], /
) -> tuple[A, B, C, D, E]: ...
async def read_together(session: AsyncSession, *reads: Read[Any]) -> tuple[Any, ...]:
    """What these read, in their order."""
    return await read_each(session, reads)


async def read_each(session: AsyncSession, reads: Sequence[Read[A]]) -> tuple[A, ...]:
    """What any number of these read, in their order."""
    if isinstance(session, ReadsTogether):
        return tuple(await asyncio.gather(*reads))
    try:
        return tuple([await read for read in reads])
    finally:
        for read in reads:
            read.close()  # what comes after one that has failed
