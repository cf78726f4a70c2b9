"""Pages of lists; wrong arguments are refused by name."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.errors import Invalid, collect_refusals
from loaders.page import (
    PAGE_DEFAULT,
    PAGE_LIMIT,
    AnyPage,
    Page,
    PageRequest,
    Sort,
    WrongCursor,
    first_column,
    load_page,
    page_of_list,
)
from models.sql.types import AnySelect
from resolvers.context import Info

__all__ = [
    "PAGE_DEFAULT",
    "PAGE_LIMIT",
    "AnyPage",
    "Page",
    "PageRequest",
    "check_page",
    "list_page",
    "query_page",
]

R = TypeVar("R")


async def query_page(
    info: Info,
    statement: AnySelect,
    sort: Sort,
    page: PageRequest,
    *,
    shape: Callable[..., object] = first_column,
) -> AnyPage:
    """A page of a statement made in loaders/; raises Invalid for wrong arguments."""
    check_page(page)
    try:
        return await load_page(info.context.shop.database.reads, statement, sort, page, shape=shape)
    except WrongCursor as error:
        raise Invalid(error.message, field=(error.argument,)) from None


def list_page(
    rows: Sequence[R], sort: Sort, page: PageRequest, *, of: Callable[[R], tuple[object, ...]]
) -> Page[R]:
    """A page of a list in memory that is sorted by `of`; raises Invalid for wrong arguments."""
    check_page(page)
    try:
        return page_of_list(rows, sort, page, of=of)
    except WrongCursor as error:
        raise Invalid(error.message, field=(error.argument,)) from None


def check_page(page: PageRequest) -> None:
    """Raise Invalid for a number beyond PAGE_LIMIT, and for both ends at once."""
    with collect_refusals() as check:
        for name, number in (("first", page.first), ("last", page.last)):
            if number is not None and not 1 <= number <= PAGE_LIMIT:
                check.add(Invalid("A page has 1 to {limit} entries.", limit=PAGE_LIMIT, field=(name,)))
        if page.first is not None and page.last is not None:
            check.add(Invalid("Ask for the first or for the last ones, not for both.", field=("last",)))
