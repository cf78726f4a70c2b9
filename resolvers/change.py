from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.address import Postal, postal_of
from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.rules import Wanted
from domain.batches import batches
from domain.cart import ADDED_LIMIT, add_what_fits, open_cart
from domain.cart import Wanted as Again
from domain.errors import Invalid, NotFound
from domain.order import add_note, change_address, hold_order, release_order
from models import Account, Cart, Delivery, Order, OrderLine, OrderNote
from resolvers.cart import owner
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.change import CancelledLineInput
from resolvers.inputs.order import DeliveryAddressInput
from resolvers.order import find_delivery, own_order

FRIENDLY = "We are checking something about this order before it leaves. You need not do anything."


async def order_lines_cancel(
    info: Info, id: strawberry.ID, lines: list[CancelledLineInput], reason: str
) -> Order:
    """Cancel units that are not packed yet; all that is left cancels the order.

    What they cost comes off the payments nobody has begun, and goes back over those that were made. The fee
    of a delivery goes back when nothing of it is left to send.

    id: the order
    lines: what is not wanted after all
    reason: why, in up to 500 characters
    """
    order_id = await own_order(info, id)
    async with info.context.transaction() as session:
        return await cancel_lines(
            session,
            order_id,
            [wanted(line, index) for index, line in enumerate(lines)],
            reason=reason,
            receipt_after=info.context.shop.settings.receipt_confirmed_after,
            now=info.context.now,
            by=info.context.viewer.id,
        )


@dataclass(frozen=True, slots=True)
class NotAgain:
    """A line that could not be bought again, and why."""

    line: OrderLine
    message: str


@dataclass(frozen=True, slots=True)
class BoughtAgain:
    """A cart with what is still sold of an old order, and what is not."""

    cart: Cart
    left_out: Sequence[NotAgain]


async def order_buy_again(info: Info, id: strawberry.ID) -> BoughtAgain:
    """Put what is still sold of an order into one's cart, at the prices of today.

    id: an order of one's own
    """
    order_id = await own_order(info, id)
    lines = await info.context.load.order_lines.load(order_id)
    units = Counter[int]()
    for line in lines:
        units[line.variant_id] += line.quantity
    again = [Again(variant_id, quantity, (variant_id,)) for variant_id, quantity in units.items()]
    viewer, now = info.context.viewer, info.context.now
    async with info.context.transaction() as session:
        cart = await open_cart(session, owner(info), currency=lines[0].currency, now=now)
        refusals = [
            refusal
            for batch in batches(again, ADDED_LIMIT)
            for refusal in await add_what_fits(session, cart, batch, now=now, by=viewer.id)
        ]
    said = {refusal.field[0]: str(refusal) for refusal in refusals}
    return BoughtAgain(
        cart, [NotAgain(line, said[line.variant_id]) for line in lines if line.variant_id in said]
    )


async def order_address_change(
    info: Info, delivery_id: strawberry.ID, address: DeliveryAddressInput
) -> Delivery:
    """Send a delivery somewhere else, as long as nothing of it is packed.

    Its fee stays what was agreed; an address that would cost more is refused.

    delivery_id: the delivery
    address: where it goes instead
    """
    delivery = await find_delivery(info, row_id(delivery_id, "Delivery", field=("delivery_id",)))
    if delivery is None:
        raise NotFound("delivery", field=("delivery_id",))
    postal = await given(info, address, await buyer(info, delivery))
    async with info.context.transaction() as session:
        return await change_address(
            session, delivery.id, postal, now=info.context.now, by=info.context.viewer.id
        )


async def order_hold(info: Info, id: strawberry.ID, reason: str) -> Order:
    """Let nothing of an order leave, and nothing fall due, until it is released; its status stays.

    id: the order
    reason: why, for colleagues, in up to 500 characters; customers read friendlier words
    """
    order_id = await own_order(info, id)
    async with info.context.transaction() as session:
        return await hold_order(
            session, order_id, reason=reason, now=info.context.now, by=info.context.viewer.id
        )


async def order_release(info: Info, id: strawberry.ID) -> Order:
    """Let an order go on that was held.

    id: the order
    """
    order_id = await own_order(info, id)
    async with info.context.transaction() as session:
        return await release_order(session, order_id, now=info.context.now, by=info.context.viewer.id)


async def order_note_add(info: Info, id: strawberry.ID, text: str) -> OrderNote:
    """Write something down about an order for colleagues; customers never see it.

    id: the order
    text: up to 2,000 characters
    """
    order_id = await own_order(info, id)
    async with info.context.transaction() as session:
        return await add_note(session, order_id, text=text, now=info.context.now, by=info.context.viewer.id)


async def notes(orders: Sequence[Order], info: Info) -> list[Sequence[OrderNote] | None]:
    """What colleagues have written down about it, the oldest first; null for customers."""
    if not info.context.viewer.is_staff:
        return [None] * len(orders)
    return list(await info.context.load.order_notes.load_many([order.id for order in orders]))


def hold(root: Order, info: Info) -> str | None:
    """Why nothing of it leaves at the moment: in full for the staff; null when nothing holds it."""
    if root.held_at is None:
        return None
    return root.hold_reason if info.context.viewer.is_staff else FRIENDLY


def wanted(line: CancelledLineInput, index: int) -> Wanted:
    return Wanted(row_id(line.line_id, "OrderLine", field=("lines", index, "line_id")), line.quantity)


async def buyer(info: Info, delivery: Delivery) -> Account | None:
    order = await info.context.load.order.load(delivery.order_id)
    return await info.context.load.account.load(order.account_id) if order else None


async def given(info: Info, address: DeliveryAddressInput, owner: Account | None) -> Postal:
    """An entry of the buyer's address book or an address written here, one of the two."""
    if (address.id is None) == (address.postal is None):
        raise Invalid("Give either an entry of the address book or an address.", field=("address",))
    if address.postal is not None:
        return address.postal.postal()
    entry = await info.context.load.address.load(row_id(address.id or "", "Address", field=("address", "id")))
    if entry is None or owner is None or entry.account_id != owner.id:
        raise NotFound("address", field=("address", "id"))
    return postal_of(entry)
