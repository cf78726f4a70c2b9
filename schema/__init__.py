"""WHAT CLIENTS SEE: the roots, assembled by area. Declarations only."""

import strawberry

from resolvers import node as resolve
from resolvers.guard import ANYONE
from schema.node import Node
from schema.rows import field


@strawberry.type(description="Everything that can be read.")
class Query:
    node: Node | None = field(resolve.node, allow=ANYONE)
    nodes: list[Node | None] = field(resolve.nodes, allow=ANYONE)


@strawberry.type(description="Everything that can be done.")
class Mutation:
    pass


@strawberry.type(description="Everything that can be watched.")
class Subscription:
    pass
