"""What somebody has is nobody else's: every id that can be given, of one's own and of others."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import save_line
from models import (
    Account,
    CartLine,
    Delivery,
    DeliveryLine,
    Event,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Refund,
    SavedLine,
    Shipment,
    TicketMessage,
    TicketStatus,
    TicketType,
)
from resolvers.ids import global_id
from resolvers.node import NODES
from tests.api.guard.asking import CUSTOMER, FIELDS, SCHEMA, WHO, codes, watched
from tests.conftest import OPENING
from tests.documents import document, id_paths
from tests.factories.account import create_address
from tests.factories.aftersales import create_media, create_ticket
from tests.factories.cart import create_cart
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.front import Client, Front

EVERYBODYS = "everybody's"

POINTS_AT: dict[str, str] = {
    "query article id": EVERYBODYS,
    "query category id": EVERYBODYS,
    "query checkoutQuote input.deliveries.address.id": "Address",
    "query checkoutQuote input.deliveries.lines.variantId": EVERYBODYS,
    "query checkoutQuote input.lines.variantId": EVERYBODYS,
    "query node id": "Order",
    "query nodes ids": "Order",
    "query order id": "Order",
    "query orders filter.productId": EVERYBODYS,
    "query orders filter.variantId": EVERYBODYS,
    "query product id": EVERYBODYS,
    "query shipment id": "Shipment",
    "query ticket id": "Ticket",
    "query ticketQuote input.lines.lineId": "OrderLine",
    "query ticketQuote input.orderId": "Order",
    "query tickets filter.assigneeId": "Account",
    "query tickets filter.orderId": "Order",
    "mutation addressRemove input.id": "Address",
    "mutation addressSave input.id": "Address",
    "mutation articleRate input.id": EVERYBODYS,
    "mutation cartLineAdd input.variantId": EVERYBODYS,
    "mutation cartLineRemove input.lineId": "CartLine",
    "mutation cartLineRestore input.lineId": "SavedLine",
    "mutation cartLineSave input.lineId": "CartLine",
    "mutation cartLineUpdate input.lineId": "CartLine",
    "mutation orderAddressChange input.address.id": "Address",
    "mutation orderAddressChange input.deliveryId": "Delivery",
    "mutation cartLinesAdd input.lines.variantId": EVERYBODYS,
    "mutation cartSavedLineRemove input.lineId": "SavedLine",
    "mutation orderBuyAgain input.id": "Order",
    "mutation orderCancel input.id": "Order",
    "mutation orderLinesCancel input.id": "Order",
    "mutation orderLinesCancel input.lines.lineId": "OrderLine",
    "mutation orderPlace input.deliveries.address.id": "Address",
    "mutation orderPlace input.deliveries.lines.variantId": EVERYBODYS,
    "mutation orderPlace input.lines.variantId": EVERYBODYS,
    "mutation orderReceiptConfirm input.id": "Order",
    "mutation paymentStart input.id": "Payment",
    "mutation productView input.id": EVERYBODYS,
    "mutation ticketCancel input.id": "Ticket",
    "mutation ticketEscalate input.id": "Ticket",
    "mutation ticketMessageAdd input.ticketId": "Ticket",
    "mutation ticketOpen input.lines.lineId": "OrderLine",
    "mutation ticketOpen input.mediaIds": "Media",
    "mutation ticketOpen input.orderId": "Order",
    "mutation ticketReapply input.id": "Ticket",
    "mutation ticketReapply input.lines.lineId": "OrderLine",
    "mutation ticketReapply input.mediaIds": "Media",
    "mutation ticketReturnShip input.id": "Ticket",
    "subscription orderUpdates id": "Order",
    "subscription shipmentUpdates id": "Shipment",
    "subscription ticketUpdates id": "Ticket",
}
"""Where a customer can name something by its id -> what that is, or that it is everybody's to see."""

RIGHT: dict[str, dict[str, str]] = {
    "mutation addressSave": {
        "input.address.province": '"浙江省"',
        "input.address.city": '"杭州市"',
        "input.address.district": '"西湖区"',
        "input.address.phone": '"13800138000"',
    },
    "mutation ticketOpen": {"input.type": "RETURN_REFUND", "input.reason": "QUALITY_FAULT"},
}
"""Where placeholders would be refused before anybody looks at an id."""

USING_UP = {
    "mutation addressRemove input.id",
    "mutation addressSave input.id",
    "mutation cartLineRemove input.lineId",
    "mutation cartLineRestore input.lineId",
    "mutation cartLineSave input.lineId",
    "mutation cartLineUpdate input.lineId",
    "mutation cartSavedLineRemove input.lineId",
}
"""What leaves, or needs, a thing that may be gone: asked by somebody who has everything."""

OWNED = [(where, kind) for where, kind in POINTS_AT.items() if kind != EVERYBODYS]


def test_the_table_names_every_id_a_customer_can_give_and_no_other() -> None:
    given = {
        f"{keyword} {name} {path}"
        for keyword, name in FIELDS
        if CUSTOMER in WHO[keyword][name]
        for path in id_paths(SCHEMA, keyword, name)
    }

    assert set(POINTS_AT) == given


Things = dict[str, str]
"""Kind of thing -> the global id of one that somebody has."""


async def things_of(session: AsyncSession, account: Account) -> Things:
    """One of everything a customer can have. A new kind needs a row."""
    order = await completed(session, account)
    refunding = await create_ticket(
        session,
        order=await completed(session, account),
        type=TicketType.REFUND_ONLY,
        status=TicketStatus.REFUNDING,
        now=OPENING,
    )
    ticket = await create_ticket(
        session, order=await completed(session, account), status=TicketStatus.REFUSED, now=OPENING
    )
    message = TicketMessage(
        ticket_id=ticket.id, author_id=account.id, body="Hello?", internal=False, created_at=OPENING
    )
    session.add(message)
    address = await create_address(session, account)
    goods = [await variant_of(session, await create_product(session)) for _ in range(2)]
    cart = await create_cart(session, account, lines=dict.fromkeys(goods, 1))
    kept, put_aside = await session.scalars(
        select(CartLine).where(CartLine.cart_id == cart.id).order_by(CartLine.id)
    )
    await save_line(session, cart, line_id=put_aside.id, now=OPENING)
    media = await create_media(session, uploader_id=account.id)
    delivery = await only(session, select(Delivery).where(Delivery.order_id == order.id))
    rows: dict[str, Any] = {
        "Account": account,
        "Address": address,
        "Cart": cart,
        "CartLine": kept,
        "Delivery": delivery,
        "DeliveryLine": await only(
            session, select(DeliveryLine).where(DeliveryLine.delivery_id == delivery.id)
        ),
        "Media": media,
        "Order": order,
        "OrderLine": await only(session, select(OrderLine).where(OrderLine.order_id == order.id)),
        "Payment": await only(session, select(Payment).where(Payment.order_id == order.id)),
        "Refund": await only(session, select(Refund).where(Refund.ticket_id == refunding.id)),
        "SavedLine": await only(session, select(SavedLine).where(SavedLine.cart_id == cart.id)),
        "Shipment": await only(session, select(Shipment).where(Shipment.order_id == order.id)),
        "Ticket": ticket,
        "TicketMessage": message,
    }
    await session.flush()
    return {kind: global_id(kind, row.id) for kind, row in rows.items()}


async def completed(session: AsyncSession, account: Account) -> Order:
    return await create_order(session, account=account, status=OrderStatus.COMPLETED, now=OPENING)


async def only(session: AsyncSession, statement: Any) -> Any:
    return (await session.scalars(statement)).one()


async def two_customers(front: Front) -> tuple[Client, Things, Things]:
    """A customer, what is theirs, and what is somebody else's."""
    customer, other = await front.customer(), await front.customer()
    assert customer.account
    assert other.account
    async with front.shop.database.writes.begin() as session:
        return customer, await things_of(session, customer.account), await things_of(session, other.account)


def missing(kind: str) -> str:
    return global_id(kind, 999_999)


async def count_events(front: Front) -> int:
    async with front.shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(Event)) or 0


KINDS_OF_STAFF = {"Attribute", "DeliveryRun", "Offer", "PriceChange", "RunStop", "ShippingZone", "Warehouse"}
KINDS_OF_EVERYBODY = {"Article", "Category", "Product", "Variant"}


async def test_a_node_of_somebody_else_is_null_like_one_that_does_not_exist(front: Front) -> None:
    customer, own, foreign = await two_customers(front)
    assert set(own) == set(NODES) - KINDS_OF_STAFF - KINDS_OF_EVERYBODY
    ask = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    for somebody in (customer, front.guest()):
        found = await somebody.get(ask, ids=list(foreign.values()))
        assert found == {"nodes": [None] * len(foreign)}
    found = await customer.get(ask, ids=list(own.values()))
    assert found == {"nodes": [{"__typename": kind, "id": id_} for kind, id_ in own.items()]}


async def test_a_thing_of_somebody_else_answers_exactly_like_one_that_does_not_exist(front: Front) -> None:
    customer, own, foreign = await two_customers(front)
    before = await count_events(front)

    answers = {
        where: [await answer(customer, where, id_, own) for id_ in (foreign[kind], missing(kind))]
        for where, kind in OWNED
    }

    assert {where: found[0] for where, found in answers.items()} == {
        where: found[1] for where, found in answers.items()
    }
    assert {where: found for where, (found, _) in answers.items() if not is_nothing(found)} == {}
    assert await count_events(front) == before


async def test_ones_own_thing_is_found_by_its_id(front: Front) -> None:
    customer, own, _ = await two_customers(front)

    answers = {}
    for where, kind in OWNED:
        if where in USING_UP:
            customer, own, _ = await two_customers(front)
        answers[where] = await answer(customer, where, own[kind], own)

    assert [where for where, found in answers.items() if "NOT_FOUND" in codes(found)] == []


async def answer(somebody: Client, where: str, id_: str, own: Things) -> dict[str, Any]:
    """What a field says to one id, with the asker's own things wherever else an id is needed."""
    keyword, name, path = where.split()
    others = {at.split()[2]: f'"{own[kind]}"' for at, kind in OWNED if at.split()[:2] == [keyword, name]}
    given = RIGHT.get(f"{keyword} {name}", {}) | {path: f'"{id_}"'}
    text = document(SCHEMA, keyword, name, given, required=others)
    if keyword == "subscription":
        return await watched(somebody, text)
    return await somebody.ask(text)


def is_nothing(answer: dict[str, Any]) -> bool:
    """Refused as not found, or shown as null or as an empty list."""
    (shown,) = (answer.get("data") or {"": None}).values()
    return codes(answer) == ["NOT_FOUND"] or (
        "errors" not in answer and shown in (None, [None], {"totalCount": 0})
    )
