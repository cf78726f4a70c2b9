"""Pages of long lists (https://relay.dev/graphql/connections.htm)."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import strawberry

from resolvers.paging import AnyPage
from schema.limits.sizes import COUNT, PAGE
from schema.rows import field

T = TypeVar("T")


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor to pass as `after` for the next page.")


@strawberry.type(description="One thing in a list, with its cursor.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The thing.")
    cursor: str = strawberry.field(description="Its position in this order of the list.")


def edges(root: AnyPage) -> list[Edge[object]]:
    """The things of this page with cursors."""
    return [Edge(node=row, cursor=cursor) for row, cursor in zip(root.rows, root.cursors, strict=True)]


def nodes(root: AnyPage) -> Sequence[object]:
    """The things of this page."""
    return root.rows


def page_info(root: AnyPage) -> PageInfo:
    """The position of this page in the list."""
    return PageInfo(
        has_next_page=root.has_next,
        has_previous_page=root.has_previous,
        start_cursor=root.cursors[0] if root.cursors else None,
        end_cursor=root.cursors[-1] if root.cursors else None,
    )


async def total_count(root: AnyPage) -> int:
    """How many there are in all; counted only when asked for."""
    return await root.count()


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = field(edges, size=PAGE)
    nodes: list[T] = field(nodes, size=PAGE)
    page_info: PageInfo = field(page_info)
    total_count: int = field(total_count, price=COUNT)
