"""Resolvers of payments, refunds and cash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import strawberry

from domain.errors import Invalid, NotFound
from domain.payment import (
    approve_refund,
    collect_cash,
    confirm_refund,
    decline_refund,
    redirect_refund,
    refund_in_goodwill,
    write_off_cash,
)
from domain.payment.refund_target import expected_by
from events.payment import PaymentStart, begin_payment
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.payment import OLDEST_REFUND, select_refunds
from models import (
    Account,
    ActionKind,
    Order,
    Payment,
    PaymentAttempt,
    PaymentChannel,
    PaymentMethod,
    Refund,
    RefundStatus,
    RefundTarget,
    Shipment,
)
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id, row_id_or_zero
from resolvers.inputs.money import MoneyInput
from resolvers.order import find_order
from resolvers.paging import query_page

RETURN_URL_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class NextAction:
    """How the customer pays: what to do with `value`, and until when it is valid."""

    kind: ActionKind
    value: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ScanCodeAction:
    """A code to show; the customer scans it with the provider's app."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RedirectAction:
    """A page to send the browser to."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AppParametersAction:
    """What the provider's app or library is opened with."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ClientSecretAction:
    """What the provider's library in the page takes the payment with."""

    secret: str
    publishable_key: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NoAction:
    """The customer has nothing to do."""

    expires_at: datetime


PaymentAction = ScanCodeAction | RedirectAction | AppParametersAction | ClientSecretAction | NoAction


@dataclass(frozen=True, slots=True)
class PaymentToMake:
    """A payment, the attempt to make it, and what the customer does next."""

    payment: Payment
    attempt: PaymentAttempt
    action: PaymentAction
    next_action: NextAction


async def payment_start(
    info: Info,
    id: strawberry.ID,
    return_url: str | None = None,
    channel: PaymentChannel = PaymentChannel.PAGE,
    payer_id: str | None = None,
) -> PaymentToMake:
    """Starts a payment of an order, or shows one that was started again; returns what the customer does next.

    id: the payment
    return_url: where the customer's browser goes afterwards
    channel: where the customer pays
    payer_id: who the customer is to the provider, for a page inside its app
    """
    payment_id = await own_payment_id(info, id)
    start = PaymentStart(
        channel=channel,
        return_url=check_return_url(return_url),
        payer_id=payer_id,
        payer_address=info.context.place.address or None,
    )
    started = await begin_payment(info.context.shop, payment_id, by=info.context.viewer.id, start=start)
    info.context.forget_loaded()
    attempt = started.attempt
    ends_at = min(attempt.action_expires_at or attempt.expires_at, attempt.expires_at)
    next_action = NextAction(attempt.action_kind or ActionKind.NONE, attempt.action_value or "", ends_at)
    return PaymentToMake(started.payment, attempt, action_of(attempt, ends_at), next_action)


def action_of(attempt: PaymentAttempt, ends_at: datetime) -> PaymentAction:
    """What the customer does next for an attempt, until it ends."""
    value = attempt.action_value or ""
    match attempt.action_kind:
        case ActionKind.QR_CODE:
            return ScanCodeAction(value, ends_at)
        case ActionKind.REDIRECT:
            return RedirectAction(value, ends_at)
        case ActionKind.APP_PARAMETERS:
            return AppParametersAction(value, ends_at)
        case ActionKind.CLIENT_SECRET:
            return ClientSecretAction(value, attempt.action_key or "", ends_at)
        case _:
            return NoAction(ends_at)


async def payment_refund(
    info: Info,
    order_id: strawberry.ID,
    amount: MoneyInput,
    reason: str,
    idempotency_key: str,
    refund_to: RefundTarget = RefundTarget.ORIGINAL,
) -> Order:
    """Refunds part of an order's price as goodwill, apportioned to its payments.

    order_id: the order
    amount: how much to refund
    reason: why, as the customer reads it
    idempotency_key: chosen by the client, the same for every attempt at the same refund
    refund_to: where it goes; guests have no store credit
    """
    order_row_id = row_id_or_zero(order_id, "Order")
    money = amount.money(field=("amount",))
    async with info.context.transaction() as session:
        return await refund_in_goodwill(
            session,
            order_row_id,
            money,
            target=refund_to,
            reason=reason,
            key=idempotency_key,
            cause=info.context.cause,
        )


async def refund_approve(info: Info, id: strawberry.ID, reason: str) -> Refund:
    """Approves a refund above the limit, which is sent then; never one's own request.

    id: the refund
    reason: why, for the staff
    """
    refund_id = row_id(id, "Refund")
    async with info.context.transaction() as session:
        return await approve_refund(session, refund_id, reason=reason, cause=info.context.cause)


async def refund_decline(info: Info, id: strawberry.ID, reason: str) -> Refund:
    """Declines a refund that waits for approval, or withdraws one's own request; not what the shop owes.

    id: the refund
    reason: why, for the staff
    """
    refund_id = row_id(id, "Refund")
    async with info.context.transaction() as session:
        return await decline_refund(session, refund_id, reason=reason, cause=info.context.cause)


async def refund_confirm(info: Info, id: strawberry.ID, reference: str) -> Refund:
    """Confirms that staff have transferred a refund that no provider can pay.

    id: the refund
    reference: the reference of the bank transfer
    """
    refund_id = row_id(id, "Refund")
    async with info.context.transaction() as session:
        return await confirm_refund(session, refund_id, reference=reference, cause=info.context.cause)


async def refund_redirect(info: Info, id: strawberry.ID) -> Refund:
    """Has a refund that no provider can pay go into the customer's store credit instead: of cash, or one that
    failed.

    id: the refund
    """
    refund_id = row_id(id, "Refund")
    async with info.context.transaction() as session:
        return await redirect_refund(session, refund_id, cause=info.context.cause)


async def cash_collect(
    info: Info,
    id: strawberry.ID,
    amount: MoneyInput,
    shipment_id: strawberry.ID | None = None,
    idempotency_key: str | None = None,
) -> Payment:
    """Records the cash for a parcel that has arrived: all that is due for it, once. Couriers collect for what
    they have brought, staff record what a carrier hands over.

    id: the payment that is made in cash
    amount: what was collected, which must be what is due
    shipment_id: the parcel; without it, all of the order that have arrived
    idempotency_key: chosen by the client, the same for every attempt at the same collection
    """
    payment_id = row_id(id, "Payment")
    parcel_id = row_id(shipment_id, "Shipment", field=("shipment_id",)) if shipment_id else None
    money = amount.money(field=("amount",))
    viewer = info.context.viewer
    async with info.context.transaction() as session:
        return await collect_cash(
            session,
            payment_id,
            money,
            shipment_id=parcel_id,
            key=idempotency_key,
            courier_id=viewer.id if viewer.may(Permission.DELIVERY_RUN_DRIVE) else None,
            cause=info.context.cause,
        )


async def cash_write_off(info: Info, id: strawberry.ID, reason: str) -> Shipment:
    """Gives up the cash for a parcel that has arrived and is never paid, so that its order can end; not for
    what one has brought oneself.

    id: the shipment
    reason: why, for the staff
    """
    async with info.context.transaction() as session:
        return await write_off_cash(session, row_id(id, "Shipment"), reason=reason, cause=info.context.cause)


async def refunds(
    info: Info,
    status: list[RefundStatus] | None = None,
    method: list[PaymentMethod] | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Refund]:
    """Refunds of all orders, the oldest first; pending ones of cash wait for a transfer by staff.

    status: only with one of these statuses
    method: only of payments by one of these methods
    """
    statement = select_refunds(status=status, method=method)
    return await query_page(info, statement, OLDEST_REFUND, page)


async def find_payment(info: Info, payment_id: int) -> Payment | None:
    """The payment; None unless the viewer may see its order."""
    payment = await info.context.load.payment.load(payment_id)
    if payment is None or not await find_order(info, payment.order_id):
        return None
    # couriers only see what they collect
    sees_all = info.context.viewer.may(Permission.ORDER_DETAILS)
    return payment if sees_all or payment.method.collected_offline else None


async def find_payment_attempt(info: Info, attempt_id: int) -> PaymentAttempt | None:
    """The attempt; None unless the viewer may see its order."""
    attempt = await info.context.load.payment_attempt.load(attempt_id)
    return attempt if attempt and await find_payment(info, attempt.payment_id) else None


async def find_refund(info: Info, refund_id: int) -> Refund | None:
    """The refund; None unless the viewer may see its order."""
    refund = await info.context.load.refund.load(refund_id)
    if refund is None or not info.context.viewer.may(Permission.ORDER_DETAILS):
        return None
    return refund if await find_order(info, refund.order_id) else None


async def expected_dates(refunds: Sequence[Refund], info: Info) -> list[datetime | None]:
    """By when the customer has the money at the latest; null while it waits for somebody of the staff."""
    payments = await info.context.load.payment.load_many([refund.payment_id for refund in refunds])
    return [
        expected_by(refund, payment.method) if payment else None
        for refund, payment in zip(refunds, payments, strict=True)
    ]


async def requesters(refunds: Sequence[Refund], info: Info) -> list[Account | None]:
    """Who has asked for it; null where it followed automatically, and for customers."""
    return await find_deciding_staff(info, [refund.requested_by_id for refund in refunds])


async def deciders(refunds: Sequence[Refund], info: Info) -> list[Account | None]:
    """The second person, who approved or declined it; null where nobody has, and for customers."""
    return await find_deciding_staff(info, [refund.decided_by_id for refund in refunds])


async def find_deciding_staff(info: Info, account_ids: Sequence[int | None]) -> list[Account | None]:
    """The accounts, for those who decide about refunds."""
    if not info.context.viewer.may(Permission.REFUND):
        return [None] * len(account_ids)
    ids = sorted({account_id for account_id in account_ids if account_id is not None})
    found = dict(zip(ids, await info.context.load.account.load_many(ids), strict=True))
    return [found.get(account_id or 0) for account_id in account_ids]


async def own_payment_id(info: Info, id: strawberry.ID) -> int:
    """The row id of a payment; NotFound unless the viewer may see its order."""
    payment = await find_payment(info, row_id(id, "Payment"))
    if payment is None:
        raise NotFound("payment", field=("id",))
    return payment.id


def check_return_url(return_url: str | None) -> str | None:
    """The URL if it is one of http or https; Invalid for others, which could be scripts."""
    if return_url is None:
        return None
    try:
        parts = urlsplit(return_url)
    except ValueError:
        parts = urlsplit("")
    if len(return_url) > RETURN_URL_LIMIT or parts.scheme not in ("http", "https") or not parts.netloc:
        raise Invalid("This is not an address of the web.", field=("return_url",))
    return return_url
