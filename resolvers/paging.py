"""Pages as clients ask for them; what cannot be a page is refused by the name of its argument."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select

from domain.errors import Invalid
from loaders.page import PAGE_LIMIT, Page, Sort, WrongCursor, itself, page, page_of
from resolvers.context import Info

R = TypeVar("R")


async def paged(
    info: Info,
    statement: Select[Any],
    sort: Sort,
    *,
    first: int,
    after: str | None,
    shape: Callable[..., Any] = itself,
) -> Page[Any]:
    """`first` rows of a statement made in loaders/, after a cursor."""
    check_first(first)
    try:
        reads = info.context.shop.database.reads
        return await page(reads, statement, sort, first=first, after=after, shape=shape)
    except WrongCursor as error:
        raise Invalid(str(error), field=("after",)) from None


def paged_list(
    rows: Sequence[R], sort: Sort, *, of: Callable[[R], tuple[Any, ...]], first: int, after: str | None
) -> Page[R]:
    """`first` rows of a list in memory, after a cursor."""
    check_first(first)
    try:
        return page_of(rows, sort, of=of, first=first, after=after)
    except WrongCursor as error:
        raise Invalid(str(error), field=("after",)) from None


def check_first(first: int) -> None:
    if not 1 <= first <= PAGE_LIMIT:
        raise Invalid(f"A page has 1 to {PAGE_LIMIT} entries.", field=("first",))
