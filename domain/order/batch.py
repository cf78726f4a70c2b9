"""Order requests that are placed in one transaction, each with its idempotency key and its result."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.account.guests import (
    GuestBuyer,
    OrderTakenOver,
    delete_guest_accounts,
    find_guest_accounts,
    open_guest_accounts,
    open_guest_sign_ins,
)
from domain.errors import DomainError, Unauthenticated
from domain.idempotency import KeyClaim
from domain.order.insert import InsertPlan
from domain.order.request import OrderRequest, PaymentPlan
from models import GuestAccount, Order

COMMAND = "orderPlace"
"""The command of its idempotency keys."""

OrderResult = Order | DomainError


@dataclass(slots=True, eq=False)
class BatchItem:
    """An order request with its payment plan and the number its order will have, and what came of it."""

    request: OrderRequest
    payment_plan: PaymentPlan
    number: str
    guest: GuestBuyer | None = None
    """Who orders without an account; None for a customer."""
    placed_by: int | None = None
    """The account of the member of the staff who orders for the customer."""
    claim: KeyClaim | None = field(default=None, init=False)
    """The idempotency key it has claimed; None where the key was used before or cannot be one."""
    insert_plan: InsertPlan | None = field(default=None, init=False)
    """What is written for it; None where it is refused or was placed before."""
    result: OrderResult | None = field(default=None, init=False)
    """The order or the refusal; None until it is known."""
    guest_account_id: int | None = field(default=None, init=False)
    """The account of a guest's order."""

    @property
    def buyer_id(self) -> int:
        """The account of the order; Unauthenticated where somebody has neither an account nor a contact."""
        account_id = self.guest_account_id if self.guest else self.request.owner.account_id
        if account_id is None:
            raise Unauthenticated
        return account_id

    @property
    def buyer(self) -> Hashable:
        """Who orders, before a guest has an account: orders of one buyer are placed one after the other."""
        if self.guest:
            return self.request.owner.token_hash
        return self.buyer_id

    @contextmanager
    def catch_refusal(self) -> Iterator[None]:
        """Make a refusal raised in the block the result of this item alone."""
        try:
            yield
        except DomainError as refusal:
            self.result = refusal


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """Items of different buyers that are placed together; the first ones are served first."""

    items: Sequence[BatchItem]

    @classmethod
    def of(cls, items: Sequence[BatchItem]) -> "OrderBatch":
        """A batch of these items without results: a batch that is tried again starts anew."""
        return cls([replace(item) for item in items])

    @property
    def open_items(self) -> list[BatchItem]:
        """Those whose result is not known yet."""
        return [item for item in self.items if item.result is None]

    @property
    def insert_plans(self) -> list[InsertPlan]:
        return [item.insert_plan for item in self.items if item.insert_plan]

    @property
    def has_orders(self) -> bool:
        """Whether any item has been, or will be, placed."""
        return bool(self.insert_plans) or any(isinstance(item.result, Order) for item in self.items)

    @property
    def results(self) -> list[OrderResult]:
        """The result of each item; ValueError where one is not known yet."""
        results = [item.result for item in self.items if item.result is not None]
        if len(results) < len(self.items):
            raise ValueError(f"no result for {[item.number for item in self.open_items]}")
        return results


async def open_accounts(session: AsyncSession, batch: OrderBatch, *, now: datetime) -> None:
    """Give each guest the account of their order, a new one at the first attempt."""
    guests = [item.guest for item in batch.items if item.guest]
    if guests:
        apply_accounts(batch.items, await open_guest_accounts(session, guests, now=now))


def apply_accounts(items: Sequence[BatchItem], accounts: Mapping[str, GuestAccount]) -> None:
    """Note the account of each guest that has one; an order that was taken over is refused."""
    for item in items:
        if item.guest and (account := accounts.get(item.guest.key)):
            item.guest_account_id = account.account_id
            if account.closed_at:
                item.result = OrderTakenOver()


async def open_sign_ins(session: AsyncSession, batch: OrderBatch, *, now: datetime) -> None:
    """Let the guests of new orders open them."""
    placed = [(item.guest, item.buyer_id) for item in batch.items if item.insert_plan and item.guest]
    if placed:
        await open_guest_sign_ins(session, placed, now=now)


async def claim_keys(session: AsyncSession, batch: OrderBatch, *, now: datetime) -> None:
    """Claim the key of each item; where it was used before, its first result is the result of this item."""
    claimed = build_claims(batch.open_items, now=now)
    if len({claim.account_id for _, claim in claimed}) < len(claimed):
        raise ValueError("two orders of one buyer are not placed together")
    if claimed:
        outcomes = await idempotency.claim_keys(session, [claim for _, claim in claimed])
        await apply_outcomes(session, claimed, outcomes)


async def find_earlier_results(session: AsyncSession, items: Sequence[BatchItem]) -> list[OrderResult | None]:
    """The earlier result of each item's key, without claiming it: one statement, two where any was used."""
    batch = OrderBatch.of(items)
    if guests := [item.guest.key for item in batch.items if item.guest]:
        apply_accounts(batch.items, await find_guest_accounts(session, guests))
    known = [item for item in batch.open_items if item.guest is None or item.guest_account_id]
    if claimed := build_claims(known, now=datetime.max.replace(tzinfo=UTC)):
        outcomes = await idempotency.find_outcomes(session, [claim for _, claim in claimed])
        await apply_outcomes(session, claimed, outcomes)
    return [item.result for item in batch.items]


async def release_refused_keys(session: AsyncSession, batch: OrderBatch) -> None:
    """Let the buyers of refused items use the same keys again."""
    if refused := [item.claim for item in batch.items if item.claim and item.result]:
        await idempotency.release_keys(session, refused)
    await delete_guest_accounts(session, {*unused_accounts(batch.items)})


def unused_accounts(items: Sequence[BatchItem]) -> Iterator[int]:
    """The accounts that were opened for guests whose first attempt is refused."""
    for item in items:
        has_order = isinstance(item.result, OrderTakenOver | idempotency.KeyReused)
        if isinstance(item.result, DomainError) and item.guest_account_id is not None and not has_order:
            yield item.guest_account_id


def build_claims(items: Sequence[BatchItem], *, now: datetime) -> list[tuple[BatchItem, KeyClaim]]:
    """The items whose key is well-formed, each with its claim; the others get the refusal as result."""
    for item in items:
        with item.catch_refusal():
            item.claim = claim_of(item, now=now)
    return [(item, item.claim) for item in items if item.claim]


def claim_of(item: BatchItem, *, now: datetime) -> KeyClaim:
    return idempotency.build_claim(
        content_of(item),
        account_id=item.buyer_id,
        command=COMMAND,
        key=item.payment_plan.idempotency_key,
        reference=item.number,
        now=now,
    )


def content_of(item: BatchItem) -> list[dict[str, object]]:
    """What two requests with one key have in common: all but the buyer's token and preferred currency."""
    content = asdict(item.request) | {"owner": None}
    if item.request.lines is None:
        content["currency"] = None
    # What is not said counts as in releases that did not know of it.
    if not item.request.confirmed_exclusions:
        del content["confirmed_exclusions"]
    for delivery in content["deliveries"]:
        if delivery["pickup_warehouse_id"] is None:
            del delivery["pickup_warehouse_id"]
    contact = [asdict(item.guest.contact)] if item.guest else []
    return [content, asdict(item.payment_plan), *contact]


async def apply_outcomes(
    session: AsyncSession,
    claimed: Sequence[tuple[BatchItem, KeyClaim]],
    outcomes: Sequence[str | DomainError | None],
) -> None:
    """Take the claim from items whose key was used before, and give them its order or the refusal."""
    numbers = [outcome for outcome in outcomes if isinstance(outcome, str)]
    orders = await find_orders(session, numbers) if numbers else {}
    for (item, _), outcome in zip(claimed, outcomes, strict=True):
        if outcome is not None:
            item.claim = None
            item.result = outcome if isinstance(outcome, DomainError) else orders[outcome]


async def find_orders(session: AsyncSession, numbers: Sequence[str]) -> dict[str, Order]:
    """Orders by number."""
    rows = await session.scalars(
        select(Order).where(Order.number.in_(numbers)).execution_options(populate_existing=True)
    )
    return {order.number: order for order in rows}
