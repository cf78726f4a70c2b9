"""Names that are no settings: in `.env` an error, in the environment a warning where one looks mistyped."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from dotenv import dotenv_values
from rapidfuzz.distance import OSA

DISTANCE = 2
"""Letters that are wrong, missing, added or swapped in a name that is taken for a mistyped one."""

SHORT = 4
"""In names of up to so many letters, only one is: HOME and PATH are no mistyped HOST and PORT."""


@dataclass(frozen=True, slots=True)
class MistypedName:
    """A name in the environment that is nearly that of a setting."""

    name: str
    meant: str

    def __str__(self) -> str:
        return f"{self.name}: there is no such setting; is {self.meant} meant?"


def find_mistyped(names: Iterable[str], known: Collection[str]) -> Iterator[MistypedName]:
    """Yield the names that are not known but nearly so."""
    for name in sorted(set(names)):
        if name.upper() not in known and (meant := nearest(name, known)):
            yield MistypedName(name, meant)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is at most DISTANCE letters away; None where there is none."""
    limit = 1 if len(name) <= SHORT else DISTANCE
    distances = {each: OSA.distance(name.upper(), each, score_cutoff=limit) for each in known}
    meant = min(distances, key=lambda each: distances[each])
    return meant if distances[meant] <= limit else None


def unknown_in_file(env_file: str, known: Collection[str]) -> Iterator[str]:
    """Yield a line for each name in a file of settings that is none of ours or has no value."""
    for name, value in dotenv_values(env_file, interpolate=False).items():
        if name.upper() not in known:
            meant = nearest(name, known)
            hint = f"; is {meant} meant?" if meant else "; `cartwheel settings` lists all"
            yield f"{name}: there is no such setting, but {env_file} has it{hint}"
        elif value is None:
            yield f"{name}: {env_file} names it without a value"
