"""Global object identification (https://relay.dev/graphql/objectidentification.htm)."""

from typing import Any

import strawberry

from resolvers.ids import global_id
from schema.rows import ROW_OF


def node_id(root: Any) -> strawberry.ID:
    return strawberry.ID(global_id(type_name(root), root.id))


@strawberry.interface(description="Anything with an identity of its own.")
class Node:
    id: strawberry.ID = strawberry.field(
        resolver=node_id, description="Opaque and lasting: the same for the same thing on every screen."
    )


NAMES: dict[type, str] = {}


def type_name(row: Any) -> str:
    """The GraphQL name of the Node type that shows this row."""
    if not NAMES:
        for shown, kind in ROW_OF.items():
            if issubclass(shown, Node):
                NAMES[kind] = shown.__strawberry_definition__.name  # type: ignore[attr-defined]
    return NAMES[type(row)]
