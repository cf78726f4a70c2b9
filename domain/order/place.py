"""Placing orders: one transaction for one order or for many, exactly once, at the prices of this moment."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.errors import DomainError, Invalid, LimitReached, OutOfStock, Unauthenticated
from domain.idempotency import Claim
from domain.ledger import payment_status
from domain.money import words
from domain.offer import use_offers
from domain.order.enter import Draft, enter, new_order
from domain.order.goods import Basket, take
from domain.order.quote import Facts, Quote, facts_for, quoted
from domain.order.refusals import AmountMismatch, NotOffered
from domain.order.states import TRANSITIONS
from domain.order.wish import Promise, WantedPayment, Wish
from domain.state import move
from domain.stock import Allocation, Reservation, reserve_all
from models import (
    CurrencyCode,
    FulfilmentStatus,
    Money,
    Order,
    OrderStatus,
    PaymentMethod,
)

Row = dict[str, Any]

COMMAND = "orderPlace"
NOTE_LIMIT = 500
PAYMENTS_LIMIT = 5

FLASH_PAY_WITHIN = timedelta(minutes=10)
"""Nobody keeps what is sold in a flash sale from others for longer."""

CASH_LIMITS: Mapping[CurrencyCode, int] = {
    CurrencyCode.CNY: 5_000_00,
    CurrencyCode.HKD: 5_000_00,
    CurrencyCode.USD: 700_00,
}
"""The most a courier takes at the door for one order; no cash in other currencies."""


class SoldMeanwhile(OutOfStock):
    """Somebody was quicker between our look at the shelf and our grip: worth one more look."""

    def __init__(self, refusal: OutOfStock) -> None:
        super().__init__(refusal.name, left=refusal.left, field=("lines",))


@dataclass(frozen=True, slots=True)
class Placement:
    """An order somebody wants placed, and the number it will have."""

    wish: Wish
    promise: Promise
    number: str

    @property
    def buyer(self) -> int:
        if self.wish.owner.account_id is None:
            raise Unauthenticated
        return self.wish.owner.account_id


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms the shop takes orders."""

    offered: AbstractSet[PaymentMethod]
    pay_within: timedelta
    flash_pay_within: timedelta = FLASH_PAY_WITHIN


Outcome = Order | DomainError


@dataclass(slots=True)
class Member:
    """One of those whose orders are placed together."""

    placement: Placement
    claim: Claim | None = None
    draft: Draft | None = None
    outcome: Outcome | None = None

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """A refusal in here concerns this one only."""
        try:
            yield
        except DomainError as refusal:
            self.outcome = refusal


async def place_order(
    session: AsyncSession,
    wish: Wish,
    promise: Promise,
    *,
    number: str,
    offered: AbstractSet[PaymentMethod],
    pay_within: timedelta,
    flash_pay_within: timedelta = FLASH_PAY_WITHIN,
    now: datetime,
) -> Order:
    """Make an order of a wish: as `place_orders`, for one alone, whose refusal is raised."""
    placement = Placement(wish, promise, number)
    terms = Terms(offered, pay_within, flash_pay_within)
    [outcome] = await place_orders(session, [placement], terms, now=now)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


async def place_orders(
    session: AsyncSession,
    placements: Sequence[Placement],
    terms: Terms,
    *,
    now: datetime,
    hold: bool = False,
) -> list[Outcome]:
    """Make orders of wishes of different buyers, with their stock set aside and their invoices in the books.

    Each step is one statement for all of them. Who comes first gets the first units; what is refused leaves
    nothing behind. The same idempotency key gives the same order again. Raises SoldMeanwhile or OfferGone
    where another transaction took goods or an offer between the look and the grip, which `hold` prevents:
    then levels and offers are locked first. Where no order is among the outcomes there is nothing to commit.
    """
    members = [Member(placement) for placement in placements]
    await claim_keys(session, members, now=now)
    await decide(session, waiting(members), terms, now=now, hold=hold)
    drafts = [member.draft for member in members if member.draft]
    if drafts or any(isinstance(member.outcome, Order) for member in members):
        await forget_keys(session, members)
    if drafts:
        await enter(session, drafts, now=now)
        await set_aside(session, drafts, now=now)
    return [member.outcome or drafted(member).order for member in members]


def waiting(members: Sequence[Member]) -> list[Member]:
    return [member for member in members if member.outcome is None]


def drafted(member: Member) -> Draft:
    if member.draft is None:
        raise ValueError(f"nothing came of {member.placement.number}")
    return member.draft


async def claim_keys(session: AsyncSession, members: Sequence[Member], *, now: datetime) -> None:
    """Claim everybody's key; whose key has been used gets what came of it."""
    claiming = with_claims(members, now=now)
    buyers = {claim.account_id for _, claim in claiming}
    if len(buyers) < len(claiming):
        raise ValueError("two orders of one buyer are not placed together")
    if claiming:
        await answer(
            session, claiming, await idempotency.claim_all(session, [claim for _, claim in claiming])
        )


async def placed_before(session: AsyncSession, placements: Sequence[Placement]) -> list[Outcome | None]:
    """What came of each key before, without claiming it: one statement, one more when any was used."""
    members = [Member(placement) for placement in placements]
    if claiming := with_claims(members, now=datetime.max.replace(tzinfo=UTC)):
        await answer(session, claiming, await idempotency.look_up(session, [claim for _, claim in claiming]))
    return [member.outcome for member in members]


def with_claims(members: Sequence[Member], *, now: datetime) -> list[tuple[Member, Claim]]:
    """Those whose key can be one, each with what it claims."""
    for member in members:
        with member.refusing():
            member.claim = claim_of(member.placement, now=now)
    return [(member, member.claim) for member in members if member.claim]


async def answer(
    session: AsyncSession,
    claiming: Sequence[tuple[Member, Claim]],
    known: Sequence[str | DomainError | None],
) -> None:
    """Whose key was used has lost the claim and gets what came of it."""
    numbers = [each for each in known if isinstance(each, str)]
    orders = await by_number(session, numbers) if numbers else {}
    for (member, _), each in zip(claiming, known, strict=True):
        if each is not None:
            member.claim = None
            member.outcome = each if isinstance(each, DomainError) else orders[each]


def claim_of(placement: Placement, *, now: datetime) -> Claim:
    return idempotency.claim_of(
        content_of(placement.wish, placement.promise),
        account_id=placement.buyer,
        command=COMMAND,
        key=placement.promise.idempotency_key,
        reference=placement.number,
        now=now,
    )


async def by_number(session: AsyncSession, numbers: Sequence[str]) -> dict[str, Order]:
    rows = await session.scalars(
        select(Order).where(Order.number.in_(numbers)).execution_options(populate_existing=True)
    )
    return {order.number: order for order in rows}


async def forget_keys(session: AsyncSession, members: Sequence[Member]) -> None:
    """Who was refused may use the same key again."""
    if refused := [member.claim for member in members if member.claim and member.outcome]:
        await idempotency.drop_all(session, refused)


async def decide(
    session: AsyncSession, members: Sequence[Member], terms: Terms, *, now: datetime, hold: bool
) -> None:
    """Draft an order for each, or refuse it, one after the other."""
    baskets = await take(session, [member.placement.wish for member in members], hold=hold)
    served: list[tuple[Member, Basket]] = []
    for member, basket in zip(members, baskets, strict=True):
        if isinstance(basket, DomainError):
            member.outcome = basket
        else:
            served.append((member, basket))
    wishes = [member.placement.wish for member, _ in served]
    facts = await facts_for(session, wishes, [basket for _, basket in served], now=now, hold=hold)
    for member, basket in served:
        with member.refusing():
            member.draft = draft(member.placement, basket, facts, terms, now=now)


def draft(placement: Placement, basket: Basket, facts: Facts, terms: Terms, *, now: datetime) -> Draft:
    """The order as it will be; its goods and offers are gone for those who come after."""
    promise = placement.promise
    quote = quoted(placement.wish, basket, facts, now=now)
    refuse(placement.wish, promise, quote, terms.offered)
    order = order_of(quote, placement, terms, now=now)
    made = Draft(order, quote, quote.parts(), promise.payments)
    for part in made.parts:
        good = quote.lines[part.line].good
        if good.variant.limited:
            good.shelves[part.warehouse_id] -= part.quantity
    facts.offers.take(quote.sums.priced, order.account_id)
    made.tell("order.placed", now=now, by=order.account_id)
    if not in_advance(promise.payments):
        move(order, OrderStatus.CONFIRMED, TRANSITIONS)
        order.version, order.confirmed_at = order.version + 1, now
        made.tell("order.confirmed", now=now)
    return made


def content_of(wish: Wish, promise: Promise) -> list[Row]:
    """What makes two requests the same: what was said, not with which tokens or in which mood for prices."""
    said = asdict(wish) | {"owner": None}
    if wish.lines is None:
        said["currency"] = None
    return [said, asdict(promise)]


def refuse(wish: Wish, promise: Promise, quote: Quote, offered: AbstractSet[PaymentMethod]) -> None:
    """Say the first thing that stands against this order, if anything does."""
    if quote.problems:
        raise quote.problems[0]
    if not wish.deliveries:
        raise Invalid("Say where it goes.", field=("deliveries",))
    if len(promise.note) > NOTE_LIMIT:
        raise Invalid(f"A note has at most {NOTE_LIMIT} characters.", field=("note",))
    refuse_payments(promise.payments, quote, offered)


def refuse_payments(
    payments: Sequence[WantedPayment], quote: Quote, offered: AbstractSet[PaymentMethod]
) -> None:
    """The payments are offered, together exactly what is due, and not too much of it in cash."""
    if len(payments) > PAYMENTS_LIMIT:
        raise LimitReached(f"An order has at most {PAYMENTS_LIMIT} payments.", field=("payments",))
    for index, payment in enumerate(payments):
        field = ("payments", index)
        if payment.method not in offered:
            raise NotOffered(payment.method, field=(*field, "method"))
        if payment.amount.currency is not quote.currency:
            raise Invalid(f"This order is in {quote.currency.value}.", field=(*field, "amount"))
        if payment.amount.minor <= 0:
            raise Invalid("A payment is more than nothing.", field=(*field, "amount"))
    zero = Money.zero(quote.currency)
    given = sum((payment.amount for payment in payments), start=zero)
    if given != quote.sums.total:
        raise AmountMismatch(due=quote.sums.total, given=given, field=("payments",))
    cash = sum((payment.amount for payment in payments if not is_advance(payment)), start=zero)
    limit = Money(CASH_LIMITS.get(quote.currency, 0), quote.currency)
    if cash.minor > limit.minor:
        raise LimitReached(f"At most {words(limit)} can be paid at the door.", field=("payments",))


def order_of(quote: Quote, placement: Placement, terms: Terms, *, now: datetime) -> Order:
    total = quote.sums.total.minor
    return new_order(
        number=placement.number,
        account_id=placement.buyer,
        status=OrderStatus.PENDING,
        payment_status=payment_status(total=total, taken=0, returned=0),
        fulfilment_status=FulfilmentStatus.UNFULFILLED,
        currency=quote.currency,
        goods_amount=quote.sums.goods.minor,
        discount_amount=quote.sums.discount.minor,
        shipping_amount=quote.sums.shipping.minor,
        cancelled_amount=0,
        cancelled_shipping_amount=0,
        total_amount=total,
        note=placement.promise.note.strip(),
        version=1,
        placed_at=now,
        payment_due_at=due_at(quote, placement, terms, now=now),
    )


def due_at(quote: Quote, placement: Placement, terms: Terms, *, now: datetime) -> datetime | None:
    """When it is closed unless it is paid."""
    if not in_advance(placement.promise.payments):
        return None
    flash = quote.sums.in_flash_sale
    return now + (min(terms.pay_within, terms.flash_pay_within) if flash else terms.pay_within)


async def set_aside(session: AsyncSession, drafts: Sequence[Draft], *, now: datetime) -> None:
    """Reserve last: what many want at the same moment is held for the shortest time."""
    reservations = [
        Reservation(made.order.id, made.order.account_id, want) for made in drafts for want in wants_of(made)
    ]
    try:
        await reserve_all(session, reservations, now=now)
    except OutOfStock as refusal:
        raise SoldMeanwhile(refusal) from None
    uses = [
        use
        for made in drafts
        for use in made.quote.sums.uses(order_id=made.order.id, account_id=made.order.account_id)
    ]
    await use_offers(session, uses, now=now)


def wants_of(made: Draft) -> Iterator[Allocation]:
    """What is set aside for an order: all but what has no limit."""
    for part in made.parts:
        variant = made.quote.lines[part.line].good.variant
        if variant.limited:
            yield Allocation(variant.id, part.warehouse_id, part.quantity)


def in_advance(payments: Sequence[WantedPayment]) -> bool:
    return any(is_advance(payment) for payment in payments)


def is_advance(payment: WantedPayment) -> bool:
    return payment.method is not PaymentMethod.CASH_ON_DELIVERY
