"""Placing orders: of customers, of guests, and of the staff for customers."""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.account import check_contact
from domain.account.guests import (
    GuestBuyer,
    GuestContact,
    OrderTakenOver,
    check_guest_contact,
    request_secret,
)
from domain.cart import CartOwner
from domain.contact import normalize_name
from domain.errors import Invalid, collect_refusals
from domain.order import (
    BatchItem,
    OrderQuote,
    PaymentPlan,
    quote_order,
)
from gateways.secrets import fingerprint_of
from gateways.tokens import AccessToken, write_token
from loaders.order import NUMBER_PREFIX
from models import Order, Role
from resolvers.account.customers import served_customer_id
from resolvers.account.verification import limit_codes
from resolvers.cart import cart_owner
from resolvers.context import Info
from resolvers.inputs.order import CheckoutQuoteInput, OrderPlaceInput, build_order_request
from resolvers.rates import LimitedAction, limit_action


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order, and for a guest the secret that opens it."""

    order: Order
    secret: str | None


async def checkout_quote(info: Info, input: CheckoutQuoteInput) -> OrderQuote:
    """What an order would cost now, to the cent, and every reason why it could not be placed.

    input: what would be ordered, and where it would go
    """
    served = await served_customer_id(info, input.customer_id)
    owner = CartOwner(served, None) if served else cart_owner(info)
    request = input.request(owner, info.context.viewer.currency)
    async with info.context.shop.database.reads() as session:
        return await quote_order(session, request, now=info.context.now)


async def order_place(info: Info, input: OrderPlaceInput) -> PlacedOrder:
    """Orders what is in the cart, or the lines given. The same idempotency key gives the same order again.
    A guest with a cart orders by a contact; the staff order for a customer.

    input: what is ordered, where it goes and how it is paid
    """
    context = info.context
    served = await served_customer_id(info, input.customer_id)
    owner = CartOwner(served, None) if served else cart_owner(info)
    planned = []
    with collect_refusals() as check:
        if owner.account_id is None:
            with check:
                contact_of(input)
        for index, payment in enumerate(input.payments):
            with check:
                planned.append(payment.planned_payment(index))
        request = build_order_request(
            owner,
            input.lines,
            input.deliveries,
            input.coupon_codes,
            currency=input.currency or context.viewer.currency,
            confirmed_exclusions=input.confirmed_exclusions,
        )
    plan = PaymentPlan(planned, input.note, input.idempotency_key)
    number = context.shop.secrets.new_number(NUMBER_PREFIX, context.now)
    guest = await guest_from(info, input) if owner.account_id is None else None
    placed_by = context.viewer.account_id if served else None
    order = await context.shop.order_queue.place(BatchItem(request, plan, number, guest, placed_by))
    context.forget_loaded()
    return PlacedOrder(order, await open_secret(info, order) if guest else None)


async def guest_from(info: Info, input: OrderPlaceInput) -> GuestBuyer:
    """Who orders without an account; Invalid without a contact or a cart, LimitReached for many orders."""
    shop, viewer = info.context.shop, info.context.viewer
    contact = contact_of(input)
    if viewer.cart_token is None:
        raise Invalid("Put something into a cart first, and send its token.", field=("contact",))
    await limit_action(shop, LimitedAction.GUEST_ORDER, by=info.context.place.address)
    return GuestBuyer(
        key=fingerprint_of(f"{fingerprint_of(viewer.cart_token)} {input.idempotency_key}"),
        name=recipient_of(input),
        contact=contact,
        language=viewer.language,
        family=shop.secrets.new_token(),
        expires_at=info.context.now + shop.settings.accounts.guest_retention,
    )


def contact_of(input: OrderPlaceInput) -> GuestContact:
    """How a guest is reached; raises Invalid."""
    if input.contact is None:
        raise Invalid("Give an e-mail address or a phone number, or sign in.", field=("contact",))
    return check_guest_contact(input.contact.email, input.contact.phone)


def recipient_of(input: OrderPlaceInput) -> str:
    """How to address a guest: as the first parcel is addressed; empty where nothing is sent."""
    addresses = [each.address for each in input.deliveries if each.address]
    postal = next((each.postal for each in addresses if each.postal), None)
    field = ("deliveries", 0, "address", "postal", "recipient")
    return normalize_name(postal.recipient, field=field) if postal else ""


async def open_secret(info: Info, order: Order) -> str:
    """The secret that opens a guest's order; the rest of the request has the guest of it as its viewer."""
    context = info.context
    # one sign-in, since nobody can sign in again
    sign_ins = await context.load.account_sign_ins.load(order.account_id)
    if not sign_ins:
        raise OrderTakenOver
    token = AccessToken(
        order.account_id, Role.GUEST_BUYER, sign_ins[0].family, expires_at=sign_ins[0].expires_at
    )
    context.viewer = replace(
        context.viewer, role=Role.GUEST_BUYER, account_id=order.account_id, cart_token=None, token=token
    )
    return write_token(context.shop.settings.signing_key(), token, now=context.now)


ORDER_NUMBER_LENGTH = 40


async def order_secret_request(info: Info, number: str, contact: str) -> datetime:
    """Sends the secret of a guest's order to the contact it was placed with. The answer is the same where
    there is no such order.

    number: the number of the order
    contact: the e-mail address or phone number given with it
    """
    context, shop = info.context, info.context.shop
    number = number.strip().upper()
    if not 1 <= len(number) <= ORDER_NUMBER_LENGTH:
        raise Invalid("This is not the number of an order.", field=("number",))
    normalized = check_contact(contact)
    await limit_codes(info, normalized)
    async with context.transaction() as session:
        key = f"order_secret:{shop.secrets.new_token()}"
        await request_secret(
            session, number, normalized, key=key, language=context.viewer.language, now=context.now
        )
    return context.now
