"""Pages of lists; wrong arguments are refused by name."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.errors import Invalid
from loaders.page import PAGE_LIMIT, AnyPage, Page, Sort, WrongCursor, first_column, load_page, page_of_list
from models.sql.types import AnySelect
from resolvers.context import Info

__all__ = ["AnyPage", "Page", "check_first", "list_page", "query_page"]

R = TypeVar("R")


async def query_page(
    info: Info,
    statement: AnySelect,
    sort: Sort,
    *,
    first: int,
    after: str | None,
    shape: Callable[..., object] = first_column,
) -> AnyPage:
    """`first` rows of a statement made in loaders/, after a cursor; raises Invalid for wrong arguments."""
    check_first(first)
    try:
        reads = info.context.shop.database.reads
        return await load_page(reads, statement, sort, first=first, after=after, shape=shape)
    except WrongCursor as error:
        raise Invalid(str(error), field=("after",)) from None


def list_page(
    rows: Sequence[R], sort: Sort, *, of: Callable[[R], tuple[object, ...]], first: int, after: str | None
) -> Page[R]:
    """`first` rows of a sorted list in memory, after a cursor; raises Invalid for wrong arguments."""
    check_first(first)
    try:
        return page_of_list(rows, sort, of=of, first=first, after=after)
    except WrongCursor as error:
        raise Invalid(str(error), field=("after",)) from None


def check_first(first: int) -> None:
    if not 1 <= first <= PAGE_LIMIT:
        raise Invalid(f"A page has 1 to {PAGE_LIMIT} entries.", field=("first",))
