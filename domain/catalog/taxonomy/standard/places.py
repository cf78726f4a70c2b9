"""The places of categories in the tree when an edition adds new ones."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class CategoryPlace:
    """The columns of a category that tell its place in the tree."""

    parent_id: int | None
    path: str
    depth: int
    position: int


def place_categories(
    current: Mapping[int, CategoryPlace], edition: Mapping[int, int | None], new: Collection[int]
) -> dict[int, CategoryPlace]:
    """The place of every category.

    edition: the parent each category has in the edition, siblings in their order
    new: the categories that get the place of the edition; all others keep their parent
    """
    parents = {id: place.parent_id for id, place in current.items()} | {id: edition[id] for id in new}
    positions = {id: place.position for id, place in current.items()}
    children = _children_by_parent(parents, positions, ids=parents.keys() - set(new))
    ordered = _children_by_parent(edition, {}, ids=[id for id in edition if parents[id] == edition[id]])
    for parent_id in {edition[id] for id in new}:
        children[parent_id] = merge_siblings(children[parent_id], ordered[parent_id])
        positions |= {id: number for number, id in enumerate(children[parent_id], start=1)}
    return _place_children(children, parents, positions)


def merge_siblings(current: Sequence[int], edition: Sequence[int]) -> list[int]:
    """The current siblings and those the edition adds, each behind the one it follows in the edition."""
    row, known = list(current), set(current)
    at = next((row.index(id) for id in edition if id in known), len(row))
    for id in edition:
        if id in known:
            at = row.index(id)
        else:
            row.insert(at, id)
        at += 1
    return row


def _children_by_parent(
    parents: Mapping[int, int | None], positions: Mapping[int, int], *, ids: Collection[int]
) -> defaultdict[int | None, list[int]]:
    """The children of each parent, in their order."""
    children: defaultdict[int | None, list[int]] = defaultdict(list)
    for id in sorted(ids, key=lambda id: (positions[id], id)) if positions else ids:
        children[parents[id]].append(id)
    return children


def _place_children(
    children: Mapping[int | None, Sequence[int]],
    parents: Mapping[int, int | None],
    positions: Mapping[int, int],
) -> dict[int, CategoryPlace]:
    places: dict[int, CategoryPlace] = {}
    open_nodes = [(id, "/", 0) for id in children.get(None, ())]
    while open_nodes:
        id, above, depth = open_nodes.pop()
        path = f"{above}{id}/"
        places[id] = CategoryPlace(parents[id], path, depth, positions[id])
        open_nodes += [(child, path, depth + 1) for child in children.get(id, ())]
    if unreached := parents.keys() - places.keys():
        raise Invalid("Category {category} would stand below itself.", category=str(min(unreached)))
    return places
