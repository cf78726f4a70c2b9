"""What the people of a replay ask and say, and where they live."""

from typing import Any

from bench.replay_amounts import Fields

READ = """query($id: ID!) { order(id: $id) {
  number status paymentStatus fulfilmentStatus total { amount currencyCode } version
  lines { id quantity cancelled }
  deliveries { id method cashDue { amount currencyCode }
    lines { id quantity packed orderLine { id } warehouse { id } } }
  payments { id method status reference total { amount currencyCode } captured { amount }
    refunds { id status reference } }
  shipments { id status dispatchedAt cashDue { amount currencyCode } cashCollectedAt
    delivery { sendsBack } lines { quantity orderLine { id } } }
  tickets { id type status }
} }"""
TICKET_LINES = "query($id: ID!) { ticket(id: $id) { lines { quantity orderLine { id } } } }"
QUOTE = """query($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) {
  total { amount } lines { exclusion variant { id } }
  deliveries { options { method } } problems { code message field } } }"""
EDIT_QUOTE = """query($id: ID!, $changes: OrderChangesInput!) { orderEditQuote(id: $id, changes: $changes) {
  total { amount currencyCode } paymentNeeded problems { code message field } } }"""
STOPS = "{ deliveryRuns(first: 5) { nodes { id stops { id } } } }"

HOME = {
    "recipient": "林梅",
    "phone": "13800138000",
    "countryCode": "CN",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "line1": "文三路 100 号",
}
WORK = HOME | {
    "recipient": "王强",
    "province": "四川",
    "city": "成都",
    "district": "锦江",
    "line1": "红星路 8 号",
}
NEXT_DOOR = HOME | {"line1": "文三路 200 号"}
ABROAD = {
    "recipient": "João Silva",
    "phone": "+551123456789",
    "countryCode": "BR",
    "province": "Sao Paulo",
    "city": "SAO PAULO",
    "line1": "Avenida Paulista 1000",
    "postalCode": "01310-100",
}


def returned(line: Fields, condition: str, quantity: int, *, accepted: bool) -> dict[str, Any]:
    """Units of a ticket's line as the warehouse has found them."""
    return {
        "orderLineId": line["orderLine"]["id"],
        "condition": condition,
        "quantity": quantity,
        "accepted": accepted,
        "customersFault": not accepted,
        "note": "Looked at it.",
    }
