"""Global object identification (https://relay.dev/graphql/objectidentification.htm)."""

from typing import Protocol

import strawberry

from resolvers.ids import global_id
from schema.rows import ROW_OF


class HasId(Protocol):
    @property
    def id(self) -> int: ...


def node_id(root: HasId) -> strawberry.ID:
    return strawberry.ID(global_id(type_name(root), root.id))


@strawberry.interface(description="Anything with an identity of its own.")
class Node:
    id: strawberry.ID = strawberry.field(
        resolver=node_id, description="Opaque and lasting: the same for the same thing on every screen."
    )


TYPE_NAMES: dict[type, str] = {}


def type_name(row: object) -> str:
    """The name of the GraphQL type that shows this row."""
    if not TYPE_NAMES:
        for shown, kind in ROW_OF.items():
            if issubclass(shown, Node):
                TYPE_NAMES[kind] = shown.__strawberry_definition__.name  # type: ignore[attr-defined]
    return TYPE_NAMES[type(row)]
