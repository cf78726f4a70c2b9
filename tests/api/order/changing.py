"""How orders are changed after they were placed."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from events.shop import Shop
from models import Account, Delivery, Order, OrderLine, OrderStatus
from resolvers.ids import global_id
from tests.conftest import OPENING
from tests.factories.order import CHENGDU, Lines, a_variant, create_order
from tests.front import Client, Front

TIMELINE = "timeline { name words occurredAt actor { name } }"
ORDER = f"status total {{ amount }} cancelled {{ amount }} heldAt hold {TIMELINE}"


def change(name: str, shown: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input!"
    return f"mutation($input: {kind}) {{ {name}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"


CANCEL_LINES = change("orderLinesCancel", f"order {{ {ORDER} lines {{ quantity cancelled }} }}")
MOVE = change(
    "orderAddressChange",
    f"delivery {{ address {{ city district }} fee {{ amount }} order {{ {TIMELINE} }} }}",
)
HOLD = change("orderHold", f"order {{ {ORDER} }}")
RELEASE = change("orderRelease", f"order {{ {ORDER} }}")
NOTE = change("orderNoteAdd", "orderNote { text createdAt author { name } }")
LOOK = f"query($id: ID!) {{ order(id: $id) {{ {ORDER} staffNotes {{ text author {{ name }} }} }} }}"
NOW = OPENING.isoformat()
CHENGDU_GIVEN = {
    "".join(word.capitalize() if at else word for at, word in enumerate(name.split("_"))): text
    for name, text in asdict(CHENGDU).items()
}
NINGBO = CHENGDU_GIVEN | {
    "province": "浙江省",
    "city": "宁波市",
    "district": "鄞州区",
    "postalCode": "315100",
}


async def ordered(
    shop: Shop,
    account: Account,
    *,
    status: OrderStatus = OrderStatus.CONFIRMED,
    quantities: tuple[int, ...] = (3,),
    payments: Mapping[Any, int | None] | None = None,
) -> Order:
    """An order of so many of each of several things, for 99.00 each."""
    async with shop.database.writes.begin() as session:
        lines: Lines = [(await a_variant(session), quantity) for quantity in quantities]
        return await create_order(
            session, account=account, status=status, lines=lines, payments=payments, now=OPENING
        )


async def owner_of_order(front: Front, **given: Any) -> tuple[Client, Order]:
    customer = await front.customer()
    assert customer.account
    return customer, await ordered(front.shop, customer.account, **given)


def id_of(order: Order) -> str:
    return global_id("Order", order.id)


async def line_ids(shop: Shop, order: Order) -> list[str]:
    async with shop.database.reads() as session:
        found = select(OrderLine.id).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        return [global_id("OrderLine", id) for id in await session.scalars(found)]


async def delivery_id(shop: Shop, order: Order) -> str:
    async with shop.database.reads() as session:
        found = select(Delivery.id).where(Delivery.order_id == order.id).order_by(Delivery.position)
        return global_id("Delivery", (await session.scalars(found)).all()[0])


async def inputs(shop: Shop, order: Order) -> dict[str, dict[str, Any]]:
    """Each change with what it needs, for a paid order of which nothing is packed."""
    [line, *_] = await line_ids(shop, order)
    return {
        CANCEL_LINES: {
            "id": id_of(order),
            "lines": [{"lineId": line, "quantity": 1}],
            "reason": "One is enough.",
        },
        MOVE: {"deliveryId": await delivery_id(shop, order), "address": {"postal": NINGBO}},
        HOLD: {"id": id_of(order), "reason": "Looks odd."},
        RELEASE: {"id": id_of(order)},
        NOTE: {"id": id_of(order), "text": "Called twice."},
    }


def refusal(payload: dict[str, Any]) -> tuple[str, str]:
    *things, (error,) = payload.values()
    assert things == [None] * len(things)
    return error["code"], ".".join(error["field"] or ())


def told(name: str, words: str, actor: str | None) -> dict[str, Any]:
    return {"name": name, "words": words, "occurredAt": NOW, "actor": actor and {"name": actor}}
