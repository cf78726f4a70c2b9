"""Nobody reaches what belongs to somebody else: every id an argument takes, one's own and another's."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import save_line
from domain.cause import Cause
from domain.store_credit import redeem_gift_card
from models import (
    GRANTS,
    Account,
    CartLine,
    Delivery,
    DeliveryLine,
    Event,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentAttempt,
    Refund,
    Role,
    SavedLine,
    Shipment,
    ShipmentTask,
    ShipmentTaskKind,
    TicketMessage,
    TicketStatus,
    TicketType,
)
from resolvers.ids import global_id
from resolvers.node import NODES
from tests.api.guard.fields import FIELDS, REQUIRED, SCHEMA, error_codes, first_answer
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT
from tests.documents import id_paths, write_document
from tests.factories.account import create_address
from tests.factories.aftersales import create_media, create_ticket
from tests.factories.cart import create_cart
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.factories.store_credit import create_gift_card
from tests.factories.token import create_sign_in

PUBLIC = "public"

KIND_OF_ID: dict[str, str] = {
    "query article id": PUBLIC,
    "query category id": PUBLIC,
    "query checkoutQuote input.customerId": "Account",
    "query checkoutQuote input.deliveries.address.id": "Address",
    "query checkoutQuote input.deliveries.lines.variantId": PUBLIC,
    "query checkoutQuote input.deliveries.pickupPlaceId": PUBLIC,
    "query checkoutQuote input.lines.variantId": PUBLIC,
    "mutation orderPlace input.deliveries.pickupPlaceId": PUBLIC,
    "mutation pickupCancel input.deliveryId": "Delivery",
    "mutation pickupCodeRenew input.deliveryId": "Delivery",
    "query node id": "Order",
    "query nodes ids": "Order",
    "query order id": "Order",
    "query orders filter.productId": PUBLIC,
    "query orders filter.variantId": PUBLIC,
    "query paymentMethods input.quote.customerId": "Account",
    "query paymentMethods input.quote.deliveries.address.id": "Address",
    "query paymentMethods input.quote.deliveries.lines.variantId": PUBLIC,
    "query paymentMethods input.quote.deliveries.pickupPlaceId": PUBLIC,
    "query paymentMethods input.quote.lines.variantId": PUBLIC,
    "query product id": PUBLIC,
    "query shipment id": "Shipment",
    "query ticket id": "Ticket",
    "query ticketQuote input.lines.orderLineId": "OrderLine",
    "query ticketQuote input.lines.shipmentId": "Shipment",
    "query ticketQuote input.lines.variantId": PUBLIC,
    "query ticketQuote input.orderId": "Order",
    "query ticketQuotes orderId": "Order",
    "query tickets filter.assigneeId": "Account",
    "query tickets filter.orderId": "Order",
    "mutation addressRemove input.customerId": "Account",
    "mutation addressRemove input.id": "Address",
    "mutation addressSave input.customerId": "Account",
    "mutation addressSave input.id": "Address",
    "mutation articleRate input.id": PUBLIC,
    "mutation articleRead input.id": PUBLIC,
    "mutation articleRead input.orderLineId": "OrderLine",
    "query articleSuggestions orderLineId": "OrderLine",
    "mutation cartLineAdd input.variantId": PUBLIC,
    "mutation cartLineRemove input.id": "CartLine",
    "mutation cartLineRestore input.id": "SavedLine",
    "mutation cartLineSave input.id": "CartLine",
    "mutation cartLineUpdate input.id": "CartLine",
    "mutation orderAddressChange input.address.id": "Address",
    "mutation orderAddressChange input.id": "Delivery",
    "mutation orderWindowChange input.id": "Delivery",
    "mutation cartLinesAdd input.lines.variantId": PUBLIC,
    "mutation cartSavedLineRemove input.id": "SavedLine",
    "mutation orderBuyAgain input.id": "Order",
    "mutation orderCancel input.id": "Order",
    "query orderEditQuote changes.additions.deliveryId": "Delivery",
    "query orderEditQuote changes.additions.variantId": PUBLIC,
    "query orderEditQuote changes.addresses.address.id": "Address",
    "query orderEditQuote changes.addresses.deliveryId": "Delivery",
    "query orderEditQuote changes.lines.orderLineId": "OrderLine",
    "query orderEditQuote changes.lines.variantId": PUBLIC,
    "query orderEditQuote id": "Order",
    "mutation orderEdit input.changes.additions.deliveryId": "Delivery",
    "mutation orderEdit input.changes.additions.variantId": PUBLIC,
    "mutation orderEdit input.changes.addresses.address.id": "Address",
    "mutation orderEdit input.changes.addresses.deliveryId": "Delivery",
    "mutation orderEdit input.changes.lines.orderLineId": "OrderLine",
    "mutation orderEdit input.changes.lines.variantId": PUBLIC,
    "mutation orderEdit input.id": "Order",
    "mutation orderEditCancel input.id": "Order",
    "mutation orderPaymentsChange input.id": "Order",
    "mutation orderLinesCancel input.id": "Order",
    "mutation orderLinesCancel input.lines.orderLineId": "OrderLine",
    "mutation orderPlace input.confirmedExclusions.variantId": PUBLIC,
    "mutation orderPlace input.customerId": "Account",
    "mutation orderPlace input.deliveries.address.id": "Address",
    "mutation orderPlace input.deliveries.lines.variantId": PUBLIC,
    "mutation orderPlace input.lines.variantId": PUBLIC,
    "mutation orderReceiptConfirm input.id": "Order",
    "mutation paymentStart input.id": "Payment",
    "mutation productView input.id": PUBLIC,
    "mutation questionAsk input.customerId": "Account",
    "mutation questionAsk input.mediaIds": "Media",
    "mutation shipmentLinkCreate input.id": "Shipment",
    "mutation shipmentLinkRevoke input.id": "Shipment",
    "mutation signInEnd input.id": "SignIn",
    "mutation ticketCancel input.id": "Ticket",
    "mutation ticketClose input.id": "Ticket",
    "mutation ticketEscalate input.id": "Ticket",
    "mutation ticketMessageAdd input.id": "Ticket",
    "mutation ticketMessageAdd input.mediaIds": "Media",
    "mutation ticketMessageAdd input.mentionIds": PUBLIC,
    "mutation ticketRate input.id": "Ticket",
    "mutation ticketRead input.id": "Ticket",
    "mutation ticketRead input.messageId": "TicketMessage",
    "mutation ticketOpen input.lines.orderLineId": "OrderLine",
    "mutation ticketOpen input.lines.shipmentId": "Shipment",
    "mutation ticketOpen input.lines.variantId": PUBLIC,
    "mutation ticketOpen input.mediaIds": "Media",
    "mutation ticketOpen input.orderId": "Order",
    "mutation ticketReapply input.id": "Ticket",
    "mutation ticketReapply input.lines.orderLineId": "OrderLine",
    "mutation ticketReapply input.lines.shipmentId": "Shipment",
    "mutation ticketReapply input.lines.variantId": PUBLIC,
    "mutation ticketReapply input.mediaIds": "Media",
    "mutation ticketDifferencePay input.id": "Ticket",
    "mutation ticketReplacementChoose input.id": "Ticket",
    "mutation ticketReplacementChoose input.variantId": PUBLIC,
    "mutation ticketRefundChoose input.id": "Ticket",
    "mutation ticketCollectionBook input.id": "Ticket",
    "mutation ticketCollectionCancel input.id": "Ticket",
    "mutation ticketReturnShip input.id": "Ticket",
    "subscription orderUpdates id": "Order",
    "subscription productUpdates ids": PUBLIC,
    "subscription shipmentUpdates id": "Shipment",
    "subscription ticketUpdates id": "Ticket",
}
"""Argument of a customer that takes an id -> the type it is of, or PUBLIC for what everybody may see."""

VALID_VALUES: dict[str, dict[str, str]] = {
    "mutation orderPlace": {"input.payments.method": "SANDBOX"},
    "mutation addressSave": {
        "input.address.province": '"浙江省"',
        "input.address.city": '"杭州市"',
        "input.address.district": '"西湖区"',
        "input.address.phone": '"13800138000"',
    },
    "mutation ticketOpen": {"input.type": "RETURN_REFUND", "input.reason": "QUALITY_FAULT"},
    "mutation ticketOpen input.mediaIds": {"input.type": "QUESTION", "input.reason": "QUESTION"},
}
"""Values for arguments whose placeholders would be refused before the id is looked at."""

CONSUMING = {
    "mutation addressRemove input.id",
    "mutation addressSave input.id",
    "mutation cartLineRemove input.id",
    "mutation cartLineRestore input.id",
    "mutation cartLineSave input.id",
    "mutation cartLineUpdate input.id",
    "mutation cartSavedLineRemove input.id",
    "mutation signInEnd input.id",
}
"""Arguments whose mutation removes a thing or needs one that another removes: each has its own customer."""

BESIDE_A_VARIANT = {
    "mutation orderEdit input.changes.additions.deliveryId",
    "query orderEditQuote changes.additions.deliveryId",
}
"""Arguments beside which a variant is required, which the placeholder is not."""

BESIDE_AN_ARTICLE = {"mutation articleRead input.orderLineId"}
"""Arguments beside which an article is required, which the placeholder is not."""

OF_A_PICKUP = {"mutation pickupCancel input.deliveryId", "mutation pickupCodeRenew input.deliveryId"}
"""Arguments that name a delivery to be collected, which the customer's own is not."""

OUT_OF_PLACE = BESIDE_A_VARIANT | BESIDE_AN_ARTICLE | OF_A_PICKUP
"""Arguments that refuse one's own thing here, for something else."""

OWNED = [(where, kind) for where, kind in KIND_OF_ID.items() if kind != PUBLIC]


def test_the_table_names_every_id_a_customer_can_give_and_no_other() -> None:
    given = {
        f"{keyword} {name} {path}"
        for keyword, name in FIELDS
        if REQUIRED[keyword][name] in GRANTS[Role.CUSTOMER]
        for path in id_paths(SCHEMA, keyword, name)
    }

    assert set(KIND_OF_ID) == given


Things = dict[str, str]
"""Type -> the global id of one that a customer has."""


async def create_things(session: AsyncSession, account: Account) -> Things:
    """One of everything a customer can have. A new kind needs a row."""
    order = await create_completed_order(session, account)
    refunding = await create_ticket(
        session,
        order=await create_completed_order(session, account),
        type=TicketType.REFUND_ONLY,
        status=TicketStatus.REFUNDING,
        now=STARTED_AT,
    )
    ticket = await create_ticket(
        session,
        order=await create_completed_order(session, account),
        status=TicketStatus.REFUSED,
        now=STARTED_AT,
    )
    message = TicketMessage(
        ticket_id=ticket.id, author_id=account.id, body="Hello?", internal=False, created_at=STARTED_AT
    )
    session.add(message)
    address = await create_address(session, account)
    goods = [await variant_of(session, await create_product(session)) for _ in range(2)]
    cart = await create_cart(session, account, lines=dict.fromkeys(goods, 1))
    kept, put_aside = await session.scalars(
        select(CartLine).where(CartLine.cart_id == cart.id).order_by(CartLine.id)
    )
    await save_line(session, cart, line_id=put_aside.id, cause=Cause(STARTED_AT))
    media = await create_media(session, uploader_id=account.id)
    sign_in = create_sign_in(account, family=f"of account {account.id}", now=STARTED_AT)
    session.add(sign_in)
    delivery = await find_one(session, select(Delivery).where(Delivery.order_id == order.id))
    gift_card = await create_gift_card(session, now=STARTED_AT)
    by_customer = Cause(STARTED_AT, account.id)
    await redeem_gift_card(session, account.id, gift_card.code_hash, cause=by_customer)
    shipment = await find_one(session, select(Shipment).where(Shipment.order_id == order.id))
    task = ShipmentTask(
        shipment_id=shipment.id, kind=ShipmentTaskKind.LATE, due_at=STARTED_AT, opened_at=STARTED_AT
    )
    session.add(task)
    rows: dict[str, Any] = {
        "Account": account,
        "Address": address,
        "Cart": cart,
        "CartLine": kept,
        "Delivery": delivery,
        "DeliveryLine": await find_one(
            session, select(DeliveryLine).where(DeliveryLine.delivery_id == delivery.id)
        ),
        "GiftCard": gift_card,
        "Media": media,
        "Order": order,
        "OrderLine": await find_one(session, select(OrderLine).where(OrderLine.order_id == order.id)),
        "PaymentAttempt": await find_one(
            session,
            select(PaymentAttempt)
            .join(Payment, Payment.id == PaymentAttempt.payment_id)
            .where(Payment.order_id == order.id),
        ),
        "Payment": await find_one(session, select(Payment).where(Payment.order_id == order.id)),
        "Refund": await find_one(session, select(Refund).where(Refund.ticket_id == refunding.id)),
        "SavedLine": await find_one(session, select(SavedLine).where(SavedLine.cart_id == cart.id)),
        "Shipment": shipment,
        "SignIn": sign_in,
        "Ticket": ticket,
        "TicketMessage": message,
    }
    await session.flush()
    return {kind: global_id(kind, row.id) for kind, row in rows.items()}


async def create_completed_order(session: AsyncSession, account: Account) -> Order:
    return await create_order(session, account=account, status=OrderStatus.COMPLETED, now=STARTED_AT)


EDITS = frozenset({"orderEdit", "orderEditQuote"})
"""They say first of an order that is completed that it is, whatever is to be changed in it."""


async def create_unsent_order(clients: Clients, customer: Client) -> Things:
    """An order of a customer that can be edited, and its parts."""
    assert customer.account
    async with clients.shop.database.writes.begin() as session:
        order = await create_order(
            session, account=customer.account, status=OrderStatus.CONFIRMED, now=STARTED_AT
        )
        delivery = await find_one(session, select(Delivery).where(Delivery.order_id == order.id))
        line = await find_one(session, select(OrderLine).where(OrderLine.order_id == order.id))
    rows = {"Order": order, "Delivery": delivery, "OrderLine": line}
    return {kind: global_id(kind, row.id) for kind, row in rows.items()}


async def find_one(session: AsyncSession, statement: Any) -> Any:
    return (await session.scalars(statement)).one()


async def create_customer(clients: Clients, session: AsyncSession) -> tuple[Client, Things]:
    """A customer and their things."""
    customer = await clients.customer()
    assert customer.account
    things = await create_things(session, customer.account)
    await session.commit()
    return customer, things


def missing_id(kind: str) -> str:
    return global_id(kind, 999_999)


async def count_events(clients: Clients) -> int:
    async with clients.shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(Event)) or 0


KINDS_OF_STAFF = {
    "Attribute",
    "BoxType",
    "CannedAnswer",
    "Carrier",
    "CarrierRule",
    "CashHandIn",
    "Certificate",
    "CertificateRequirement",
    "Course",
    "DeliveryRun",
    "DeliveryRunStop",
    "Dispute",
    "OpenParcel",
    "Promotion",
    "PriceChange",
    "QuizAttempt",
    "ShippingZone",
    "ShipmentTask",
    "StatementDifference",
    "SynonymGroup",
    "UnhandledReport",
    "Vehicle",
    "Warehouse",
    "Wave",
    "WaybillTask",
}
KINDS_OF_EVERYBODY = {"Article", "Category", "Product", "Variant"}


async def test_a_node_of_somebody_else_is_null_like_one_that_does_not_exist(
    clients: Clients, session: AsyncSession
) -> None:
    customer, own = await create_customer(clients, session)
    _, foreign = await create_customer(clients, session)
    assert set(own) == set(NODES) - KINDS_OF_STAFF - KINDS_OF_EVERYBODY
    ask = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    for somebody in (customer, clients.guest()):
        found = await somebody.get(ask, ids=list(foreign.values()))
        assert found == {"nodes": [None] * len(foreign)}
    found = await customer.get(ask, ids=list(own.values()))
    assert found == {"nodes": [{"__typename": kind, "id": id_} for kind, id_ in own.items()]}


async def test_a_thing_of_somebody_else_answers_exactly_like_one_that_does_not_exist(
    clients: Clients, session: AsyncSession
) -> None:
    customer, own = await create_customer(clients, session)
    _, foreign = await create_customer(clients, session)
    unsent = own | await create_unsent_order(clients, customer)
    before = await count_events(clients)

    answers = {
        where: [
            await ask_with_id(customer, where, id_, unsent if where.split()[1] in EDITS else own)
            for id_ in (foreign[kind], missing_id(kind))
        ]
        for where, kind in OWNED
    }

    assert {where: found[0] for where, found in answers.items()} == {
        where: found[1] for where, found in answers.items()
    }
    assert {where: found for where, (found, _) in answers.items() if not is_nothing(found)} == {}
    assert await count_events(clients) == before


async def test_ones_own_thing_is_found_by_its_id(clients: Clients, session: AsyncSession) -> None:
    customer, own = await create_customer(clients, session)

    answers = {}
    for where, kind in [each for each in OWNED if each[0] not in OUT_OF_PLACE]:
        if where in CONSUMING:
            customer, own = await create_customer(clients, session)
        answers[where] = await ask_with_id(customer, where, own[kind], own)

    assert [where for where, found in answers.items() if "NOT_FOUND" in error_codes(found)] == []


async def ask_with_id(somebody: Client, where: str, id_: str, own: Things) -> dict[str, Any]:
    """The answer of a field to one id, with things of the client's own wherever else an id is required."""
    keyword, name, path = where.split()
    others = {at.split()[2]: f'"{own[kind]}"' for at, kind in OWNED if at.split()[:2] == [keyword, name]}
    valid = VALID_VALUES.get(where) or VALID_VALUES.get(f"{keyword} {name}", {})
    given = valid | {path: f'"{id_}"'}
    text = write_document(SCHEMA, keyword, name, given, required=others)
    if keyword == "subscription":
        return await first_answer(somebody, text)
    return await somebody.ask(text)


def is_nothing(answer: dict[str, Any]) -> bool:
    """Refused as not found, or shown as null or as an empty list."""
    (shown,) = (answer.get("data") or {"": None}).values()
    return set(error_codes(answer)) == {"NOT_FOUND"} or (
        "errors" not in answer and shown in (None, [None], {"totalCount": 0})
    )
