"""One way to change a status: a table says what may follow what."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, TypeVar

from domain.errors import WrongState

S = TypeVar("S", bound=StrEnum)
Transitions = Mapping[S, frozenset[S]]


class HasStatus(Protocol[S]):
    status: S


def table(start: S, moves: Mapping[S, set[S]]) -> Transitions[S]:
    """The transitions of one enum; ValueError unless every member is a key and can be reached."""
    members = set(type(start))
    missing = members - set(moves)
    if missing:
        raise ValueError(f"no row for {sorted(missing)}")
    reached: set[S] = set()
    ahead = {start}
    while ahead:
        reached |= ahead
        ahead = {to for state in ahead for to in moves[state]} - reached
    if members - reached:
        raise ValueError(f"nothing leads to {sorted(members - reached)}")
    return {state: frozenset(to) for state, to in moves.items()}


def move(row: HasStatus[S], to: S, allowed: Transitions[S]) -> None:
    """Change a row's status, or refuse in words the customer can read."""
    if to not in allowed[row.status]:
        thing = type(row).__name__.lower()
        then = "already" if row.status is to else f"and cannot become {words(to)}"
        raise WrongState(f"This {thing} is {words(row.status)} {then}.")
    row.status = to


def words(status: StrEnum) -> str:
    return status.value.lower().replace("_", " ")
