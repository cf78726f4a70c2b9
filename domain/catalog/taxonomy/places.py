"""Where categories stand: newcomers find their place, and nobody else is moved."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Place:
    """The columns of a category that say where it stands."""

    parent_id: int | None
    path: str
    depth: int
    position: int


def arrange(
    standing: Mapping[int, Place], edition: Mapping[int, int | None], newcomers: Collection[int]
) -> dict[int, Place]:
    """The place of every category.

    edition: the parent each category has in the edition, sisters in their order
    newcomers: those that take the place the edition gives them; all others stay below whom they are
    """
    parents = {id: place.parent_id for id, place in standing.items()} | {id: edition[id] for id in newcomers}
    positions = {id: place.position for id, place in standing.items()}
    families = _families(parents, positions, settled=parents.keys() - set(newcomers))
    ordered = _families(edition, {}, settled=[id for id in edition if parents[id] == edition[id]])
    for parent_id in {edition[id] for id in newcomers}:
        families[parent_id] = join(families[parent_id], ordered[parent_id])
        positions |= {id: number for number, id in enumerate(families[parent_id], start=1)}
    return _places(families, parents, positions)


def join(standing: Sequence[int], edition: Sequence[int]) -> list[int]:
    """Sisters with those the edition adds: each behind the one the edition puts before it."""
    row, known = list(standing), set(standing)
    at = next((row.index(id) for id in edition if id in known), len(row))
    for id in edition:
        if id in known:
            at = row.index(id)
        else:
            row.insert(at, id)
        at += 1
    return row


def _families(
    parents: Mapping[int, int | None], positions: Mapping[int, int], *, settled: Collection[int]
) -> defaultdict[int | None, list[int]]:
    """The children of each parent, in their order."""
    families: defaultdict[int | None, list[int]] = defaultdict(list)
    for id in sorted(settled, key=lambda id: (positions[id], id)) if positions else settled:
        families[parents[id]].append(id)
    return families


def _places(
    families: Mapping[int | None, Sequence[int]],
    parents: Mapping[int, int | None],
    positions: Mapping[int, int],
) -> dict[int, Place]:
    places: dict[int, Place] = {}
    waiting = [(id, "/", 0) for id in families.get(None, ())]
    while waiting:
        id, above, depth = waiting.pop()
        path = f"{above}{id}/"
        places[id] = Place(parents[id], path, depth, positions[id])
        waiting += [(child, path, depth + 1) for child in families.get(id, ())]
    if lost := parents.keys() - places.keys():
        raise Invalid(f"Category {min(lost)} would stand below itself.")
    return places
