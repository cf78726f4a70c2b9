"""Resolvers of the cash that couriers have in hand and hand in."""

from collections.abc import Sequence

import strawberry

from domain.payment import accept_difference, correct_hand_in, hand_in_cash
from loaders.cash import OLDEST_HAND_IN, select_hand_ins
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import Account, CashHandIn, Money
from resolvers.context import Info
from resolvers.delivery_run import find_delivery_run
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.money import MoneyInput
from resolvers.paging import query_page


async def cash_hand_ins(
    info: Info, resolved: bool | None = False, page: PageRequest = FIRST_PAGE
) -> Page[CashHandIn]:
    """What was counted of the cash that couriers have handed in, the oldest first.

    resolved: whether those of which no difference is open; null for all
    """
    return await query_page(info, select_hand_ins(resolved=resolved), OLDEST_HAND_IN, page)


async def cash_hand_in(
    info: Info,
    delivery_run_id: strawberry.ID,
    counted: MoneyInput,
    idempotency_key: str,
    reason: str | None = None,
) -> CashHandIn:
    """Records what was counted of the cash of a delivery run in one currency; its courier has nothing of it
    in hand then. Not for one's own run.

    delivery_run_id: the delivery run
    counted: what was counted
    idempotency_key: chosen by the client, the same for every attempt at the same count
    reason: why it is not what was collected, for the staff
    """
    run_id = row_id(delivery_run_id, "DeliveryRun", field=("delivery_run_id",))
    money = counted.money(field=("counted",))
    async with info.context.transaction() as session:
        return await hand_in_cash(
            session, run_id, money, reason=reason, key=idempotency_key, cause=info.context.cause
        )


async def cash_hand_in_correct(
    info: Info, id: strawberry.ID, counted: MoneyInput, reason: str, idempotency_key: str
) -> CashHandIn:
    """Replaces a count that was wrong by a further one of the same cash. Not for one's own run.

    id: the count
    counted: what is there
    reason: what was wrong, for the staff
    idempotency_key: chosen by the client, the same for every attempt at the same correction
    """
    hand_in_id = row_id(id, "CashHandIn")
    money = counted.money(field=("counted",))
    async with info.context.transaction() as session:
        return await correct_hand_in(
            session, hand_in_id, money, reason=reason, key=idempotency_key, cause=info.context.cause
        )


async def cash_difference_accept(info: Info, id: strawberry.ID, reason: str) -> CashHandIn:
    """Accepts that cash was missing or too much when it was counted: it is written off. Not for one's own
    run, and above a limit not by who has counted it.

    id: the count
    reason: what was found out, for the staff
    """
    hand_in_id = row_id(id, "CashHandIn")
    async with info.context.transaction() as session:
        return await accept_difference(session, hand_in_id, reason=reason, cause=info.context.cause)


async def find_cash_hand_in(info: Info, hand_in_id: int) -> CashHandIn | None:
    """The count; None unless the viewer counts cash or drives the run."""
    hand_in = await info.context.load.cash_hand_in.load(hand_in_id)
    return hand_in if hand_in and await find_delivery_run(info, hand_in.delivery_run_id) else None


async def couriers_cash(accounts: Sequence[Account], info: Info) -> Sequence[Sequence[Money]]:
    """The cash in hand of a courier, one amount for each currency; empty unless it is the viewer's own or the
    viewer counts cash."""
    viewer = info.context.viewer
    visible = [each.id for each in accounts if viewer.may(Permission.CASH_RECEIVE) or viewer.owns(each.id)]
    found = dict(zip(visible, await info.context.load.courier_cash.load_many(visible), strict=True))
    return [found.get(account.id, ()) for account in accounts]


def count_reason(root: CashHandIn, info: Info) -> str | None:
    """Why it is not what was collected, or what was wrong before; null for those who do not count cash."""
    return root.reason if info.context.viewer_of(info).may(Permission.CASH_RECEIVE) else None


def count_resolution(root: CashHandIn, info: Info) -> str | None:
    """What was found out about the difference; null for those who do not count cash."""
    return root.resolution if info.context.viewer_of(info).may(Permission.CASH_RECEIVE) else None
