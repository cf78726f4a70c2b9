"""The searches of bench/orders.py, among as many orders as a test can wait for."""

from bench.orders import asked, made

ORDERS = 20_000


async def test_orders_are_found_by_indexes(postgres_url: str) -> None:
    await made(postgres_url, ORDERS)

    assert await asked(postgres_url, ORDERS) == []
