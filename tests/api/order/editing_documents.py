"""Documents that change orders after they were placed, and orders to begin with."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from events.shop import Shop
from models import Account, Delivery, Order, OrderLine, OrderStatus
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT
from tests.factories.order import CHENGDU, Lines, a_variant, create_order
from tests.given import id_of

TIMELINE = "timeline { name message occurredAt actor { name } }"
ORDER = f"status total {{ amount }} cancelled {{ amount }} heldAt hold {TIMELINE}"


def mutation_of(name: str, shown: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input!"
    return f"mutation($input: {kind}) {{ {name}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"


CANCEL_LINES = mutation_of("orderLinesCancel", f"order {{ {ORDER} lines {{ quantity cancelled }} }}")
CHANGE_ADDRESS = mutation_of(
    "orderAddressChange",
    f"delivery {{ address {{ city district }} fee {{ amount }} order {{ {TIMELINE} }} }}",
)
HOLD = mutation_of("orderHold", f"order {{ {ORDER} }}")
RELEASE = mutation_of("orderRelease", f"order {{ {ORDER} }}")
NOTE = mutation_of("orderNoteAdd", "orderNote { text createdAt author { name } }")
VIEW = f"query($id: ID!) {{ order(id: $id) {{ {ORDER} staffNotes {{ text author {{ name }} }} }} }}"
NOW = STARTED_AT.isoformat()
CHENGDU_INPUT = {
    "".join(word.capitalize() if at else word for at, word in enumerate(name.split("_"))): text
    for name, text in asdict(CHENGDU).items()
    if text is not None
}
NINGBO = CHENGDU_INPUT | {
    "province": "浙江省",
    "city": "宁波市",
    "district": "鄞州区",
    "postalCode": "315100",
}


async def create_order_with(
    shop: Shop,
    account: Account,
    *,
    status: OrderStatus = OrderStatus.CONFIRMED,
    quantities: tuple[int, ...] = (3,),
    payments: Mapping[Any, int | None] | None = None,
) -> Order:
    """An order of several variants at 99.00 each, in these quantities."""
    async with shop.database.writes.begin() as session:
        lines: Lines = [(await a_variant(session), quantity) for quantity in quantities]
        return await create_order(
            session, account=account, status=status, lines=lines, payments=payments, now=STARTED_AT
        )


async def owner_of_order(clients: Clients, **options: Any) -> tuple[Client, Order]:
    customer = await clients.customer()
    assert customer.account
    return customer, await create_order_with(clients.shop, customer.account, **options)


async def line_ids(shop: Shop, order: Order) -> list[str]:
    async with shop.database.reads() as session:
        found = select(OrderLine.id).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        return [global_id("OrderLine", id) for id in await session.scalars(found)]


async def delivery_id(shop: Shop, order: Order) -> str:
    async with shop.database.reads() as session:
        found = select(Delivery.id).where(Delivery.order_id == order.id).order_by(Delivery.position)
        return global_id("Delivery", (await session.scalars(found)).all()[0])


async def inputs(shop: Shop, order: Order) -> dict[str, dict[str, Any]]:
    """The arguments of each change, for a paid order of which nothing is packed."""
    [line, *_] = await line_ids(shop, order)
    return {
        CANCEL_LINES: {
            "id": id_of(order),
            "lines": [{"orderLineId": line, "quantity": 1}],
            "reason": "One is enough.",
        },
        CHANGE_ADDRESS: {"id": await delivery_id(shop, order), "address": {"postal": NINGBO}},
        HOLD: {"id": id_of(order), "reason": "Looks odd."},
        RELEASE: {"id": id_of(order)},
        NOTE: {"id": id_of(order), "text": "Called twice."},
    }


def refusal(payload: dict[str, Any]) -> tuple[str, str]:
    *things, (error,) = payload.values()
    assert things == [None] * len(things)
    return error["code"], ".".join(error["field"] or ())


def timeline_event(name: str, message: str, actor: str | None) -> dict[str, Any]:
    return {"name": name, "message": message, "occurredAt": NOW, "actor": actor and {"name": actor}}
