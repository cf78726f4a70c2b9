"""What `cartwheel audit` prints, and what it comes to."""

from pathlib import Path

import pytest
from sqlalchemy import update

from events.shop import Shop
from models import Order, OrderPaymentStatus, OrderStatus, StockLevel
from tests.factories.order import create_order
from tests.process import cartwheel, environment


@pytest.fixture
def env(shop: Shop, tmp_path: Path) -> dict[str, str]:
    return environment(shop.settings.database_url, tmp_path)


async def two_orders(shop: Shop) -> list[str]:
    async with shop.database.writes.begin() as session:
        orders = [await create_order(session, status=OrderStatus.CONFIRMED) for _ in range(2)]
    return [order.number for order in orders]


async def test_where_all_books_agree_it_says_so(shop: Shop, env: dict[str, str]) -> None:
    await two_orders(shop)

    done = cartwheel("audit", env=env)

    assert (done.returncode, done.stdout) == (0, "All books agree.\n")


async def test_it_ends_at_the_first_disagreement_unless_told_to_print_all(
    shop: Shop, env: dict[str, str]
) -> None:
    first, second = await two_orders(shop)
    async with shop.database.writes.begin() as session:
        await session.execute(update(Order).values(payment_status=OrderPaymentStatus.UNPAID))
        await session.execute(update(StockLevel).where(StockLevel.variant_id == 1).values(on_hand=11))

    one, every = cartwheel("audit", env=env), cartwheel("audit", "--all", env=env)

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
