"""Output and exit code of `cartwheel audit`."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Order, OrderPaymentStatus, OrderStatus, StockLevel
from tests.factories.order import create_order
from tests.process import call_cartwheel, process_environment, run_cartwheel


@pytest.fixture
def env(shop: Shop, tmp_path: Path) -> dict[str, str]:
    return process_environment(shop.settings.database.url, tmp_path)


async def create_two_orders(shop: Shop) -> list[str]:
    async with shop.database.writes.begin() as session:
        orders = [await create_order(session, status=OrderStatus.CONFIRMED) for _ in range(2)]
    return [order.number for order in orders]


async def test_audit_says_that_all_books_agree(shop: Shop, env: dict[str, str]) -> None:
    await create_two_orders(shop)

    finished = await call_cartwheel("audit", env=env)

    assert (finished.returncode, finished.stdout) == (0, "All books agree.\n")


async def test_audit_prints_the_first_disagreement_and_with_all_every_one(
    shop: Shop, session: AsyncSession, env: dict[str, str]
) -> None:
    first, second = await create_two_orders(shop)
    await session.execute(update(Order).values(payment_status=OrderPaymentStatus.UNPAID))
    await session.execute(update(StockLevel).where(StockLevel.variant_id == 1).values(on_hand=11))
    await session.commit()

    one, every = (
        await asyncio.to_thread(run_cartwheel, "audit", env=env),
        await call_cartwheel("audit", "--all", env=env),
    )

    rule = "payment status as the books say"
    assert (one.returncode, one.stdout) == (1, f"{rule}: {first}: expected PAID, found UNPAID\n")
    assert (every.returncode, every.stdout.splitlines()) == (
        1,
        [
            f"{rule}: {first}: expected PAID, found UNPAID",
            f"{rule}: {second}: expected PAID, found UNPAID",
            "on hand as moved: variant 1 in warehouse 1: expected 10, found 11",
            "3 disagreements.",
        ],
    )
