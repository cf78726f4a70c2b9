"""Changing orders after they were placed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import strawberry

from domain.address import PostalAddress, postal_address_of
from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.order_editing.address import change_address
from domain.aftersales.order_editing.changes import LineAddition, LineChange, OrderChanges
from domain.aftersales.order_editing.editing import EditRequest, edit_order
from domain.aftersales.order_editing.payments import change_payments
from domain.aftersales.order_editing.quote import (
    OrderEditQuote,
    OrderEditQuoteDelivery,
    OrderEditQuoteLine,
    quote_edit,
)
from domain.aftersales.order_editing.window import change_window
from domain.aftersales.rules import ClaimedUnits
from domain.cart import COUPONS_LIMIT, open_cart
from domain.errors import DomainError, Invalid, LimitReached, NotFound, RefusalCollector
from domain.order import add_note, buy_again, hold_order, release_order
from domain.order.quote import DELIVERIES_LIMIT
from domain.promotion import normalize_codes
from models import Account, Cart, Delivery, Money, Order, OrderLine, OrderNote, PaymentMethod, RefundTarget
from resolvers.cart import cart_owner
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id, row_id_or_zero
from resolvers.inputs.money import MoneyInput
from resolvers.inputs.order import DeliveryAddressInput, DeliveryWindowInput, PaymentInput
from resolvers.inputs.order_editing import (
    CancelledLineInput,
    OrderAdditionInput,
    OrderChangesInput,
    OrderLineChangeInput,
)
from resolvers.order.finding import find_delivery, own_order_id
from resolvers.order.stopping import stopping_payments
from text.messages import Message

__all__ = ["OrderEditQuote", "OrderEditQuoteDelivery", "OrderEditQuoteLine"]

HOLD_MESSAGE = Message(
    "We are checking something about this order before it leaves. You need not do anything."
)
"""What customers read in place of the reason."""


async def order_lines_cancel(
    info: Info,
    id: strawberry.ID,
    lines: list[CancelledLineInput],
    reason: str,
    refund_to: RefundTarget = RefundTarget.ORIGINAL,
    idempotency_key: str | None = None,
) -> Order:
    """Cancels units that are not packed yet; cancelling all that is left cancels the order.

    What they cost is taken off the payments that were not started, and refunded over those that were made.
    The fee of a delivery is refunded when nothing of it is left to send.

    id: the order
    lines: the units to cancel
    reason: why, in up to 500 characters
    refund_to: where what was paid for them goes; guests have no store credit
    idempotency_key: chosen by the client, the same for every attempt at the same cancellation; without it a
        repetition cancels as many units again
    """
    order_id = await own_order_id(info, id)
    units = [claimed_units_of(line) for line in lines]

    async def cancel() -> Order:
        async with info.context.transaction() as session:
            return await cancel_lines(
                session,
                order_id,
                units,
                reason=reason,
                refund_to=refund_to,
                key=idempotency_key,
                receipt_after=info.context.shop.settings.deadlines.receipt_confirmed_after,
                cause=info.context.cause,
            )

    return await stopping_payments(info, order_id, cancel)


@dataclass(frozen=True, slots=True)
class NotBoughtAgainLine:
    """An order line that could not be bought again, and why."""

    line: OrderLine
    refusal: DomainError


@dataclass(frozen=True, slots=True)
class BuyAgainResult:
    """The cart with what is still sold of an old order, and the lines that are not in it."""

    cart: Cart
    left_out: Sequence[NotBoughtAgainLine]


async def order_buy_again(info: Info, id: strawberry.ID) -> BuyAgainResult:
    """Adds what is still sold of an order to the viewer's cart, at present prices.

    id: one of the viewer's orders
    """
    order_id = await own_order_id(info, id)
    lines = await info.context.load.order_lines.load(order_id)
    cause = info.context.cause
    async with info.context.transaction() as session:
        cart = await open_cart(session, cart_owner(info), currency=lines[0].currency, now=cause.now)
        refusals = await buy_again(session, cart, lines, cause=cause)
    left_out = [
        NotBoughtAgainLine(line, refusals[line.variant_id]) for line in lines if line.variant_id in refusals
    ]
    return BuyAgainResult(cart, left_out)


async def order_address_change(info: Info, id: strawberry.ID, address: DeliveryAddressInput) -> Delivery:
    """Sends a delivery to another address, as long as nothing of it is packed.

    Its fee follows the tariff: what it costs less is not due any more, or refunded; what it costs more is
    added to what is unpaid. An address that costs more is refused where all is paid; `orderEdit` collects it.

    id: the delivery
    address: where it goes instead
    """
    delivery = await find_delivery(info, row_id(id, "Delivery"))
    if delivery is None:
        raise NotFound("delivery", field=("id",))
    postal_address = await postal_address_from(info, address, await buyer_of(info, delivery))
    delivery_id = delivery.id

    async def change() -> Delivery:
        async with info.context.transaction() as session:
            return await change_address(
                session,
                delivery_id,
                postal_address,
                receipt_after=info.context.shop.settings.deadlines.receipt_confirmed_after,
                cause=info.context.cause,
            )

    return await stopping_payments(info, delivery.order_id, change)


async def order_window_change(
    info: Info, id: strawberry.ID, window: DeliveryWindowInput | None = None
) -> Delivery:
    """Lets a delivery come at another time, as long as nothing of it is packed.

    id: the delivery
    window: when it is to come, as the buyer wishes; any time will do when left out
    """
    delivery = await find_delivery(info, row_id(id, "Delivery"))
    if delivery is None:
        raise NotFound("delivery", field=("id",))
    wished = window.wished_window() if window else None
    async with info.context.transaction() as session:
        return await change_window(session, delivery.id, wished, cause=info.context.cause)


async def order_edit_quote(info: Info, id: strawberry.ID, changes: OrderChangesInput) -> OrderEditQuote:
    """What an edit would come to, line by line, or why it cannot be made; nothing is changed.

    id: the order
    changes: all that would be changed
    """
    order_id = await own_order_id(info, id)
    edit = await order_changes_from(info, order_id, changes)
    async with info.context.shop.database.reads() as session:
        return await quote_edit(session, order_id, edit, now=info.context.now)


async def order_edit(
    info: Info,
    id: strawberry.ID,
    changes: OrderChangesInput,
    expected_total: MoneyInput,
    idempotency_key: str,
    payment_method: PaymentMethod | None = None,
) -> Order:
    """Changes lines, coupons and addresses in one step, as long as nothing of these deliveries is packed.

    Kept units keep their price, added ones take today's; promotions are computed anew. What is unpaid comes
    to another amount; what was paid too much is refunded. Where all is paid and more is due, the order lists
    a further payment, and stays as it is until that is made; without it the edit is dropped.

    id: the order
    changes: all that is changed
    expected_total: the total that was quoted; another one is refused
    idempotency_key: chosen by the client, the same for every attempt at the same edit
    payment_method: how what is missing is paid, where the quote asks for it
    """
    order_id = await own_order_id(info, id)
    edit = await order_changes_from(info, order_id, changes)
    try:
        total = expected_total.money(field=("expected_total",))
    except DomainError as refusal:
        total, edit = Money(0, expected_total.currency_code), replace(edit, refused=[*edit.refused, refusal])
    request = EditRequest(edit, total, payment_method, idempotency_key)
    shop = info.context.shop

    async def edit_once() -> Order:
        async with info.context.transaction() as session:
            return await edit_order(
                session,
                order_id,
                request,
                shop.order_terms,
                receipt_after=shop.settings.deadlines.receipt_confirmed_after,
                cause=info.context.cause,
            )

    return await stopping_payments(info, order_id, edit_once)


async def order_payments_change(info: Info, id: strawberry.ID, payments: list[PaymentInput]) -> Order:
    """Divides what is still to be paid among other payment methods; a payment that is being made is stopped.

    Cash is paid in advance instead until a parcel with it has left: nothing leaves until that is paid, and
    what is not paid by `paymentDueAt` is cash again.

    id: the order
    payments: the methods and amounts, which add up to what is unpaid
    """
    order_id = await own_order_id(info, id)
    planned = [payment.planned_payment(index) for index, payment in enumerate(payments)]

    async def change() -> Order:
        async with info.context.transaction() as session:
            return await change_payments(
                session, order_id, planned, info.context.shop.order_terms, cause=info.context.cause
            )

    return await stopping_payments(info, order_id, change)


async def order_changes_from(info: Info, order_id: int, changes: OrderChangesInput) -> OrderChanges:
    """The changes with row ids; an entry of the address book must be the buyer's.

    What is no id of a line, variant or delivery is refused with all else, as one that there is not.
    """
    check_size(changes)
    addresses: dict[int, PostalAddress] = {}
    check = RefusalCollector()
    for index, each in enumerate(changes.addresses):
        path = ("changes", "addresses", index, "delivery_id")
        with check:
            delivery = await find_delivery(info, row_id(each.delivery_id, "Delivery", field=path))
            if delivery is None or delivery.order_id != order_id:
                raise NotFound("delivery", field=path)
            if delivery.id in addresses:
                raise Invalid("Name each delivery once.", field=path)
            buyer = await buyer_of(info, delivery)
            addresses[delivery.id] = await postal_address_from(info, each.address, buyer)
    return OrderChanges(
        lines=[line_change_of(line) for line in changes.lines],
        additions=[addition_of(addition) for addition in changes.additions],
        addresses=addresses,
        add_codes=normalize_codes(changes.add_coupon_codes),
        remove_codes=normalize_codes(changes.remove_coupon_codes),
        refused=list(check.found.values()),
    )


def check_size(changes: OrderChangesInput) -> None:
    if len(changes.addresses) > DELIVERIES_LIMIT:
        raise LimitReached(
            "An order has at most {limit} deliveries.",
            limit=DELIVERIES_LIMIT,
            field=("changes", "addresses"),
        )
    for name in ("add_coupon_codes", "remove_coupon_codes"):
        if len(getattr(changes, name)) > COUPONS_LIMIT:
            raise LimitReached("At most {limit} coupons.", limit=COUPONS_LIMIT, field=("changes", name))


def line_change_of(line: OrderLineChangeInput) -> LineChange:
    variant_id = row_id_or_zero(line.variant_id, "Variant") if line.variant_id else None
    return LineChange(row_id_or_zero(line.order_line_id, "OrderLine"), line.quantity, variant_id)


def addition_of(addition: OrderAdditionInput) -> LineAddition:
    delivery_id = row_id_or_zero(addition.delivery_id, "Delivery") if addition.delivery_id else None
    return LineAddition(row_id_or_zero(addition.variant_id, "Variant"), addition.quantity, delivery_id)


async def order_hold(info: Info, id: strawberry.ID, reason: str) -> Order:
    """Keeps an order from being sent and from falling due until it is released; its status stays.

    id: the order
    reason: why, for the staff, in up to 500 characters; customers read a general message
    """
    order_id = await own_order_id(info, id)
    async with info.context.transaction() as session:
        return await hold_order(session, order_id, reason=reason, cause=info.context.cause)


async def order_release(info: Info, id: strawberry.ID) -> Order:
    """Releases an order that is held.

    id: the order
    """
    order_id = await own_order_id(info, id)
    async with info.context.transaction() as session:
        return await release_order(session, order_id, cause=info.context.cause)


async def order_note_add(info: Info, id: strawberry.ID, text: str) -> OrderNote:
    """Adds a note to an order, for the staff only.

    id: the order
    text: up to 2,000 characters
    """
    order_id = await own_order_id(info, id)
    async with info.context.transaction() as session:
        return await add_note(session, order_id, text=text, cause=info.context.cause)


async def notes(orders: Sequence[Order], info: Info) -> list[Sequence[OrderNote] | None]:
    """The notes of the staff, the oldest first; null for customers."""
    if not info.context.viewer.may(Permission.ORDER_NOTE):
        return [None] * len(orders)
    return list(await info.context.load.order_notes.load_many([order.id for order in orders]))


def not_bought_message(root: NotBoughtAgainLine, info: Info) -> str:
    """Why it could not be added, in words for a customer."""
    return info.context.viewer_of(info).text_of(root.refusal.message)


def hold(root: Order, info: Info) -> str | None:
    """Why it is held: the reason for the staff, a general message for customers; null when it is not held."""
    if root.held_at is None:
        return None
    if info.context.viewer.may(Permission.ORDER_NOTE):
        return root.hold_reason
    return info.context.viewer_of(info).text_of(HOLD_MESSAGE)


def claimed_units_of(line: CancelledLineInput) -> ClaimedUnits:
    return ClaimedUnits(row_id_or_zero(line.order_line_id, "OrderLine"), line.quantity)


async def buyer_of(info: Info, delivery: Delivery) -> Account | None:
    order = await info.context.load.order.load(delivery.order_id)
    return await info.context.load.account.load(order.account_id) if order else None


async def postal_address_from(
    info: Info, address: DeliveryAddressInput, buyer: Account | None
) -> PostalAddress:
    """An entry of the buyer's address book or the address written out, whichever of the two is given."""
    if (address.id is None) == (address.postal is None):
        raise Invalid("Give either an entry of the address book or an address.", field=("address",))
    if address.postal is not None:
        return address.postal.postal()
    entry = await info.context.load.address.load(row_id(address.id or "", "Address", field=("address", "id")))
    if entry is None or buyer is None or entry.account_id != buyer.id:
        raise NotFound("address", field=("address", "id"))
    return postal_address_of(entry)
