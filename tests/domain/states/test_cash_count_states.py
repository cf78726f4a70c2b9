"""What may happen to a count of cash in each of its states."""

from collections.abc import Mapping

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError
from domain.payment import accept_difference, correct_hand_in, hand_in_cash
from events.shop import Shop
from models import CashHandIn, CurrencyCode, Money, Role
from tests.domain.states.outcomes import Command, documented_outcomes
from tests.factories.account import create_account
from tests.factories.cash import PRICE, drive_cash_run
from tests.factories.order import NOW
from tests.observe import assert_books_agree, read_all_rows

TITLE = "Counts of cash"


async def clerk(session: AsyncSession) -> Cause:
    return Cause(NOW, (await create_account(session, role=Role.MANAGER)).id)


async def count_cash(session: AsyncSession, run_id: int, minor: int) -> CashHandIn:
    counted = Money(minor, CurrencyCode.CNY)
    return await hand_in_cash(session, run_id, counted, reason="x", key="count", cause=await clerk(session))


async def correct(session: AsyncSession, it: CashHandIn) -> None:
    counted = Money(PRICE - 1, CurrencyCode.CNY)
    await correct_hand_in(session, it.id, counted, reason="x", key="correct", cause=await clerk(session))


async def accept(session: AsyncSession, it: CashHandIn) -> None:
    await accept_difference(session, it.id, reason="x", cause=await clerk(session))


async def count_in_state(session: AsyncSession, state: str) -> CashHandIn:
    courier = await create_account(session, role=Role.COURIER)
    run = (await drive_cash_run(session, courier)).run
    it = await count_cash(session, run.id, PRICE if state == "AGREED" else PRICE - 100)
    for command in COMMANDS_TO_STATE.get(state, ()):
        await command(session, it)
    await session.flush()
    return it


async def state_of_count(session: AsyncSession, it: CashHandIn) -> str:
    if await session.scalar(select(CashHandIn.id).where(CashHandIn.corrects_id == it.id)):
        return "CORRECTED"
    if not it.difference.minor:
        return "AGREED"
    return "ACCEPTED" if it.resolved_at else "OPEN"


COMMANDS_TO_STATE: Mapping[str, tuple[Command, ...]] = {"ACCEPTED": (accept,), "CORRECTED": (correct,)}
COMMANDS: Mapping[str, Command] = {
    "it is corrected": correct,
    "a manager accepts the difference": accept,
    "the same cash is counted again": lambda session, it: count_cash(session, it.delivery_run_id, PRICE),
}


@pytest.mark.parametrize("state", documented_outcomes(TITLE))
async def test_what_may_happen_to_a_count_of_cash(shop: Shop, state: str) -> None:
    async with shop.database.writes.begin() as session:
        it = await count_in_state(session, state)
        assert await state_of_count(session, it) == state
    await assert_books_agree(shop)
    before, found = await read_all_rows(shop), {}

    for name, command in COMMANDS.items():
        async with shop.database.writes() as session:
            again = await session.get_one(CashHandIn, it.id)
            try:
                await command(session, again)
                await session.flush()
                found[name] = await state_of_count(session, again)
            except DomainError as refusal:
                found[name] = refusal.code.value
            await session.rollback()

    assert found == documented_outcomes(TITLE)[state]
    assert await read_all_rows(shop) == before
