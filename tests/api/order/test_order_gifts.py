"""What goes back of a set that was bought with a gift, in any order."""

from itertools import permutations

import pytest

from events.shop import Shop
from models import OrderStatus, PromotionKind
from tests.api.order.editing_documents import CANCEL_LINES, line_ids, owner_of_order
from tests.clients import Clients
from tests.factories.promotion import create_promotion
from tests.given import id_of
from tests.observe import run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

REFUNDS = """query($id: ID!) { order(id: $id) { status total { amount } cancelled { amount }
  lines { total { amount } } payments { refunds { total { amount } } } } }"""


async def start_gifts(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_promotion(session, PromotionKind.BUY_N_GET_M, title="1 + 1", buy=1, get=1)


@pytest.mark.parametrize("first", [0, 1], ids=["the paid one", "the gift"])
async def test_a_gift_is_given_back_with_what_was_paid_for_it(
    clients: Clients, shop: Shop, first: int
) -> None:
    await start_gifts(shop)
    customer, order = await owner_of_order(clients, quantities=(1, 1))
    lines = await line_ids(shop, order)

    for line, status in ((lines[first], "CONFIRMED"), (lines[1 - first], "CANCELLED")):
        units = [{"orderLineId": line, "quantity": 1}]
        payload = await customer.do(CANCEL_LINES, id=id_of(order), lines=units, reason="Not needed.")
        assert (payload["userErrors"], payload["order"]["status"]) == ([], status)

    await run_until_idle(shop)
    shown = (await customer.get(REFUNDS, id=id_of(order)))["order"]
    assert [line["total"] for line in shown["lines"]] == [{"amount": "49.50"}] * 2
    [payment] = shown["payments"]
    assert [refund["total"]["amount"] for refund in payment["refunds"]] == ["49.50", "49.50"]


@pytest.mark.parametrize("steps", list(permutations(range(3))), ids=str)
async def test_less_is_due_by_the_share_of_each_unit_in_any_order(
    clients: Clients, shop: Shop, steps: tuple[int, ...]
) -> None:
    await start_gifts(shop)
    customer, order = await owner_of_order(clients, quantities=(1, 1, 1), status=OrderStatus.PENDING)
    lines, worth = await line_ids(shop, order), (4_950, 4_950, 9_900)
    due = 19_800

    for step in steps[:2]:
        units = [{"orderLineId": lines[step], "quantity": 1}]
        shown = (await customer.do(CANCEL_LINES, id=id_of(order), lines=units, reason="Not needed."))["order"]
        due -= worth[step]
        assert shown["total"] == {"amount": f"{due / 100:.2f}"}
