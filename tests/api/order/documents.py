"""Documents about orders, and variants and orders to begin with."""

from typing import Any

from events.shop import Shop
from models import Account, Order, Variant
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order

PLACE = """
mutation ($input: OrderPlaceInput!) {
  orderPlace(input: $input) {
    order {
      id number status paymentStatus fulfilmentStatus displayStatus version note
      total { amount currencyCode }
      lines { title quantity total { amount } }
      deliveries { address { recipient city } method fee { amount } lines { quantity orderLine { title } } }
      payments { method status total { amount } }
    }
    userErrors { code message field }
  }
}
"""
CANCEL = """
mutation ($input: OrderCancelInput!) {
  orderCancel(input: $input) { order { status cancelReason displayStatus } userErrors { code message field } }
}
"""

LIST = """
query (
  $filter: OrderFilter, $sort: OrderSort! = NEWEST, $query: String, $first: Int! = 20, $after: String
) {
  orders(filter: $filter, sort: $sort, query: $query, first: $first, after: $after) {
    totalCount nodes { number } pageInfo { hasNextPage endCursor }
  }
}
"""

ADDRESS = {
    "recipient": "林梅",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "line1": "文三路 100 号",
}


async def create_variant(shop: Shop, **options: Any) -> Variant:
    async with shop.database.writes.begin() as session:
        return await variant_of(session, await create_product(session, now=shop.clock(), **options))


async def create_order_now(shop: Shop, account: Account | None = None, **options: Any) -> Order:
    async with shop.database.writes.begin() as session:
        return await create_order(session, account=account, now=shop.clock(), **options)
