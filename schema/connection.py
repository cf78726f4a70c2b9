"""Pages of long lists (https://relay.dev/graphql/connections.htm)."""

from typing import Any, Generic, TypeVar

import strawberry

from loaders.page import Page

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor to pass as `after` for the next page.")


@strawberry.type(description="One thing in a list, and where it stands.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The thing.")
    cursor: str = strawberry.field(description="Where it stands in this order of the list.")


def edges(root: Any) -> Any:
    return [Edge(node=row, cursor=cursor) for row, cursor in zip(root.rows, root.cursors, strict=True)]


def nodes(root: Any) -> Any:
    return root.rows


def page_info(root: Any) -> PageInfo:
    return PageInfo(
        has_next_page=root.has_next,
        has_previous_page=root.has_previous,
        start_cursor=root.cursors[0] if root.cursors else None,
        end_cursor=root.cursors[-1] if root.cursors else None,
    )


async def total_count(root: Any) -> int:
    found: Page[Any] = root
    return await found.count()


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(
        resolver=edges, description="The things of this page with cursors."
    )
    nodes: list[T] = strawberry.field(resolver=nodes, description="The things of this page.")
    page_info: PageInfo = strawberry.field(resolver=page_info, description="Where this page lies.")
    total_count: int = strawberry.field(
        resolver=total_count, description="How many there are in all; counted only when asked for."
    )
