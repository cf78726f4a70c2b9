"""Disputes that Stripe tells of are followed once, in whatever order, and agree with its statement."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from rich.console import Console
from sqlalchemy import select

from edge.commands.reconcile import reconcile_day
from events.payment import PaymentStart, begin_payment, query_attempt, take_notice
from events.shop import Shop
from gateways.payment.provider import Attempt, Verdict
from models import (
    Account,
    AttemptStatus,
    CurrencyCode,
    Dispute,
    DisputeStatus,
    LedgerAccount,
    Money,
    Order,
    PaymentMethod,
    Role,
)
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.order import create_order
from tests.factories.payment import connect_provider, event_names_of, payment_of
from tests.gateways.payment.card.desk import CardDesk, HeldNotice, open_desk
from tests.given import id_of, ledger_balances
from tests.observe import assert_books_agree

CARD = PaymentMethod.CARD
QUIET = Console(file=io.StringIO())
DISPUTES = """
{ disputes { nodes {
  reference status total { amount } fee { amount } reason order { number } payment { fee { amount } }
} } }
"""
PAYMENT_OF_ORDER = "query ($id: ID!) { order(id: $id) { payments { fee { amount } disputes { status } } } }"


@dataclass(frozen=True, slots=True)
class Disputed:
    """An order of 99.00 CNY that was paid by card, what Stripe kept of it, and the notices of its dispute."""

    order: Order
    fee: int
    attempt: Attempt
    desk: CardDesk

    async def notice(self, kind: str) -> HeldNotice:
        return (await self.desk.notices_of(self.attempt, f"charge.dispute.{kind}"))[-1]

    async def close(self, status: str) -> None:
        await self.desk.control("dispute_close", reference=self.attempt.reference, status=status)


@pytest.fixture
async def desk() -> AsyncIterator[CardDesk]:
    async with open_desk() as desk:
        desk.amount = Money(9_900, CurrencyCode.CNY)
        yield desk


@pytest.fixture
async def disputed(shop: Shop, clock: Clock, desk: CardDesk) -> Disputed:
    clock.now = datetime.now(UTC)
    connect_provider(shop, desk.provider)
    async with shop.database.writes.begin() as session:
        order = await create_order(session, payments={CARD: None}, now=shop.clock())
    payment = await payment_of(shop, order, CARD)
    start = PaymentStart(channel=desk.calling_channel)
    started = (await begin_payment(shop, payment.id, by=order.account_id, start=start)).attempt
    attempt = Attempt(started.reference, started.provider_reference, started.total)
    await desk.pay(attempt)
    clock.now = datetime.now(UTC)
    assert await query_attempt(shop, started.id) is AttemptStatus.CAPTURED
    fee = (await balances(shop, order))[LedgerAccount.FEES]
    await desk.control("dispute", reference=attempt.reference, reason="product_not_received")
    return Disputed(order, fee, attempt, desk)


async def balances(shop: Shop, order: Order) -> dict[LedgerAccount, int]:
    async with shop.database.reads() as session:
        return await ledger_balances(session, order)


async def deliver(shop: Shop, it: Disputed, *notices: HeldNotice) -> list[Verdict]:
    """What the shop says to notices, one after the other."""
    return [
        await take_notice(shop, it.desk.provider, await it.desk.provider.read(each.request))
        for each in notices
    ]


async def dispute_events(shop: Shop, order: Order) -> list[str]:
    return [name for name in await event_names_of(shop, order) if name.startswith("dispute.")]


async def test_a_dispute_takes_the_money_and_the_order_shows_it_to_staff(
    shop: Shop, clients: Clients, disputed: Disputed
) -> None:
    withdrawn = await disputed.notice("funds_withdrawn")

    verdicts = await deliver(shop, disputed, withdrawn, withdrawn, await disputed.notice("created"))

    assert verdicts == [Verdict.ACCEPTED, Verdict.REPEATED, Verdict.ACCEPTED]
    assert await balances(shop, disputed.order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.DISPUTED: 9_900,
        LedgerAccount.PROVIDER: -1_500 - disputed.fee,
        LedgerAccount.FEES: 1_500 + disputed.fee,
    }
    assert await dispute_events(shop, disputed.order) == ["dispute.opened"]
    support = await clients.staff(Role.SUPPORT)
    [shown] = (await support.get(DISPUTES))["disputes"]["nodes"]
    kept = f"{(1_500 + disputed.fee) / 100:.2f}"
    assert shown.pop("reference").startswith("dp_")
    assert shown == {
        "status": "OPEN",
        "total": {"amount": "99.00"},
        "fee": {"amount": "15.00"},
        "reason": "product_not_received",
        "order": {"number": disputed.order.number},
        "payment": {"fee": {"amount": kept}},
    }
    found = await support.get(PAYMENT_OF_ORDER, id=id_of(disputed.order))
    assert found["order"] == {"payments": [{"fee": {"amount": kept}, "disputes": [{"status": "OPEN"}]}]}
    async with shop.database.reads() as session:
        account = await session.get_one(Account, disputed.order.account_id)
    mine = await (await clients.customer(account)).get(PAYMENT_OF_ORDER, id=id_of(disputed.order))
    assert mine["order"] == {"payments": [{"fee": None, "disputes": None}]}
    await assert_books_agree(shop)


@pytest.mark.parametrize("opened_first", [True, False])
async def test_a_dispute_that_was_won_brings_the_money_back_whichever_notice_comes_first(
    shop: Shop, disputed: Disputed, opened_first: bool
) -> None:
    withdrawn = await disputed.notice("funds_withdrawn")
    if opened_first:
        await deliver(shop, disputed, withdrawn)
    await disputed.close("won")
    closed = await disputed.notice("closed")

    rest = [closed] if opened_first else [closed, withdrawn]
    assert await deliver(shop, disputed, *rest) == [Verdict.ACCEPTED] * len(rest)

    assert await balances(shop, disputed.order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.PROVIDER: 9_900 - 1_500 - disputed.fee,
        LedgerAccount.FEES: 1_500 + disputed.fee,
    }
    assert await dispute_events(shop, disputed.order) == ["dispute.opened", "dispute.settled"]
    today = datetime.now(UTC).date()
    assert await reconcile_day(shop, today, CARD, QUIET) == 0
    await assert_books_agree(shop)


async def test_a_lost_dispute_is_a_loss_and_the_statement_agrees(shop: Shop, disputed: Disputed) -> None:
    today = datetime.now(UTC).date()
    assert await reconcile_day(shop, today, CARD, QUIET) == 1  # Stripe has it, and the shop has not been told
    await deliver(shop, disputed, await disputed.notice("funds_withdrawn"))
    assert await reconcile_day(shop, today, CARD, QUIET) == 0
    await disputed.close("lost")
    await deliver(shop, disputed, await disputed.notice("closed"))

    assert await balances(shop, disputed.order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.WRITE_OFF: 9_900,
        LedgerAccount.PROVIDER: -1_500 - disputed.fee,
        LedgerAccount.FEES: 1_500 + disputed.fee,
    }
    assert await reconcile_day(shop, today, CARD, QUIET) == 0
    await assert_books_agree(shop)


async def test_notices_of_one_dispute_that_come_at_the_same_moment_book_it_once(
    shop: Shop, disputed: Disputed
) -> None:
    notices = [await disputed.notice(kind) for kind in ("created", "funds_withdrawn")]
    await disputed.close("won")
    notices += [await disputed.notice(kind) for kind in ("closed", "funds_reinstated")]

    verdicts = await asyncio.gather(*(deliver(shop, disputed, each, each) for each in notices))

    assert verdicts == [[Verdict.ACCEPTED, Verdict.REPEATED]] * 4
    async with shop.database.reads() as session:
        [dispute] = await session.scalars(select(Dispute))
        assert (dispute.status, dispute.fee_amount) == (DisputeStatus.WON, 1_500)
    assert (await balances(shop, disputed.order))[LedgerAccount.PROVIDER] == 8_400 - disputed.fee
    await assert_books_agree(shop)
