"""Changing a status: a table says which status may follow which."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, TypeVar

from domain.errors import WrongState, thing_named

S = TypeVar("S", bound=StrEnum)
Transitions = Mapping[S, frozenset[S]]


class HasStatus(Protocol[S]):
    status: S


def transition_table(start: S, moves: Mapping[S, set[S]]) -> Transitions[S]:
    """The transitions of one enum; raises ValueError unless every member is a key and can be reached."""
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
    """Change the status of a row; raises WrongState where the table does not allow it."""
    if to not in allowed[row.status]:
        thing = thing_named(type(row).__name__)
        if row.status is to:
            raise WrongState("This {thing} is {status} already.", thing=thing, status=row.status)
        template = "This {thing} is {status} and cannot become {wanted}."
        raise WrongState(template, thing=thing, status=row.status, wanted=to)
    row.status = to


def status_text(status: StrEnum) -> str:
    """A status as it stands in a sentence: "partially shipped"."""
    return status.value.lower().replace("_", " ")
