"""Resolvers of what statements of providers differ in."""

import strawberry

from domain.payment.statement import resolve_difference
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.statement import OLDEST_DIFFERENCE, select_differences
from models import StatementDifference
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.paging import query_page


async def statement_differences(
    info: Info, resolved: bool | None = False, page: PageRequest = FIRST_PAGE
) -> Page[StatementDifference]:
    """What statements of payment providers say otherwise than the shop's books, the oldest first.

    resolved: whether those that are resolved; null for all
    """
    return await query_page(info, select_differences(resolved=resolved), OLDEST_DIFFERENCE, page)


async def statement_difference_resolve(info: Info, id: strawberry.ID, note: str) -> StatementDifference:
    """Resolves a difference; one of fees is booked as the provider states it.

    id: the difference
    note: what has become of it, in up to 2,000 characters
    """
    difference_id = row_id(id, "StatementDifference")
    async with info.context.transaction() as session:
        return await resolve_difference(session, difference_id, note=note, cause=info.context.cause)


async def find_difference(info: Info, difference_id: int) -> StatementDifference | None:
    """The difference; None unless the viewer may see differences."""
    may = info.context.viewer.may(Permission.REFUND)
    return await info.context.load.statement_difference.load(difference_id) if may else None
