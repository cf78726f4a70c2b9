"""Resolvers of disputes."""

from collections.abc import Sequence

from loaders.dispute import OLDEST_DISPUTE, select_disputes
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import Dispute, DisputeStatus, Money, Payment
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.paging import query_page


async def disputes(
    info: Info, status: list[DisputeStatus] | None = None, page: PageRequest = FIRST_PAGE
) -> Page[Dispute]:
    """Disputes of all payments, the oldest first.

    status: only with one of these statuses
    """
    return await query_page(info, select_disputes(status=status), OLDEST_DISPUTE, page)


async def payment_disputes(payments: Sequence[Payment], info: Info) -> list[Sequence[Dispute] | None]:
    """Disputes of it, the oldest first; null for who gives no refunds."""
    if not info.context.viewer.may(Permission.REFUND):
        return [None] * len(payments)
    return list(await info.context.load.payment_disputes.load_many([payment.id for payment in payments]))


async def payment_fee(root: Payment, info: Info) -> Money | None:
    """What the provider has kept of it, as far as it has told; null for who gives no refunds."""
    return root.fee if info.context.viewer.may(Permission.REFUND) else None


async def find_dispute(info: Info, dispute_id: int) -> Dispute | None:
    """The dispute; None unless the viewer may see disputes."""
    may = info.context.viewer.may(Permission.REFUND)
    return await info.context.load.dispute.load(dispute_id) if may else None
