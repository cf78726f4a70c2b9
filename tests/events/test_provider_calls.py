"""Every call to a payment provider is in a record: who, when, what was said, and no secret."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select

from domain.cause import Cause
from domain.order import lock_order
from domain.payment import request_refund, settle_attempt
from events.payment import PaymentStart, begin_payment, look_after_refund, query_attempt, take_notice
from events.payment.providers import describe_attempt, provider_for
from events.payment.recorded import NOBODY_WAITED
from events.shop import Shop
from gateways.circuit import FAILURES_LIMIT
from gateways.payment.provider import (
    Action,
    AppParameters,
    Attempt,
    ClientSecret,
    NoticeRefused,
    PaymentNotice,
    PaymentProvider,
    ProviderError,
    ProviderRefused,
    Redirect,
    RefundNotice,
    RefundStart,
    ScanCode,
    Start,
    Started,
    Verdict,
)
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    Money,
    Order,
    PaymentAttempt,
    PaymentChannel,
    PaymentStatus,
    ProviderCall,
    Refund,
    RefundOutcome,
    RefundReport,
)
from models import ProviderCallKind as Kind
from models import ProviderCallOutcome as Outcome
from models.database import Database
from tests.factories.order import SANDBOX, create_order
from tests.factories.payment import ScriptedProvider, attempt_of, connect_provider, payment_of, refunds_of
from text.withheld import REASON_LIMIT, withhold_secrets

Tick = Callable[[timedelta], None]
CNY = CurrencyCode.CNY


@dataclass
class OutspokenProvider(ScriptedProvider):
    """A provider of which every call fails as the test says, and that starts with a given action."""

    action: Action = field(default_factory=lambda: ScanCode("weixin://pay"))

    async def start(self, start: Start) -> Started:
        await super().start(start)
        return Started(None, self.action)

    async def query(self, attempt: Attempt) -> AttemptReport:
        self.raise_next_error()
        return await super().query(attempt)

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        self.raise_next_error()
        return await super().query_refund(refund, provider_reference)


@dataclass
class SilentProvider(ScriptedProvider):
    """Never answers a question."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def query(self, attempt: Attempt) -> AttemptReport:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


@dataclass(frozen=True, slots=True)
class Paid:
    """A paid order of which one yuan is to be given back."""

    shop: Shop
    provider: OutspokenProvider
    order: Order
    attempt: PaymentAttempt
    refund: Refund

    @property
    def refund_start(self) -> RefundStart:
        attempt = describe_attempt(self.attempt)
        return RefundStart(self.refund.sent_reference, attempt, self.refund.total, "x")

    @property
    def start(self) -> Start:
        return Start(
            reference=self.attempt.reference,
            order_number=self.order.number,
            amount=self.attempt.total,
            subject="Order",
            channel=PaymentChannel.PAGE,
            starts_at=self.attempt.created_at,
            expires_at=self.attempt.expires_at,
            payer_address="203.0.113.9",
        )


async def begin(shop: Shop, provider: PaymentProvider) -> tuple[Order, PaymentAttempt]:
    """An order whose customer has begun to pay it at this provider."""
    connect_provider(shop, provider)
    async with shop.database.writes.begin() as session:
        order = await create_order(session, now=shop.clock())
    payment = await payment_of(shop, order)
    await begin_payment(shop, payment.id, by=order.account_id, start=PaymentStart())
    return order, await attempt_of(shop, payment)


@pytest.fixture
async def paid(shop: Shop) -> Paid:
    provider = OutspokenProvider()
    order, attempt = await begin(shop, provider)
    cause = Cause(shop.clock())
    async with shop.database.writes.begin() as session:
        report = AttemptReport(attempt.reference, None, AttemptStatus.CAPTURED, attempt.total)
        await settle_attempt(session, method=SANDBOX, report=report, cause=cause)
        locked = await lock_order(session, order.id)
        await request_refund(session, locked, Money(100, CNY), reason="x", cause=cause)
    [refund] = await refunds_of(shop, order)
    return Paid(shop, provider, order, attempt, refund)


async def calls_of(shop: Shop, order: Order) -> list[ProviderCall]:
    async with shop.database.reads() as session:
        rows = await session.scalars(
            select(ProviderCall).where(ProviderCall.order_id == order.id).order_by(ProviderCall.id)
        )
        return list(rows)


CALLS: dict[Kind, tuple[str, Callable[[PaymentProvider, Paid], Awaitable[object]]]] = {
    Kind.START: ("QR_CODE", lambda provider, paid: provider.start(paid.start)),
    Kind.QUERY: ("WAITING", lambda provider, paid: provider.query(describe_attempt(paid.attempt))),
    Kind.CLOSE: ("CLOSED", lambda provider, paid: provider.close(describe_attempt(paid.attempt))),
    Kind.REFUND: ("SUCCEEDED", lambda provider, paid: provider.refund(paid.refund_start)),
    Kind.QUERY_REFUND: ("UNKNOWN", lambda provider, paid: provider.query_refund(paid.refund_start, None)),
}


def test_every_kind_of_call_is_tried_here() -> None:
    assert set(CALLS) == set(Kind) - {Kind.NOTICE}


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (None, Outcome.ANSWERED, None),
        (ProviderRefused("No funds."), Outcome.REFUSED, "No funds."),
        (ProviderError("HTTP 502"), Outcome.NO_ANSWER, "HTTP 502"),
        (ZeroDivisionError("a defect"), Outcome.NO_ANSWER, "ZeroDivisionError"),
    ],
)
@pytest.mark.parametrize("kind", CALLS)
async def test_each_call_leaves_a_row_whatever_comes_of_it(
    paid: Paid, kind: Kind, error: Exception | None, outcome: Outcome, reason: str | None
) -> None:
    answer, make = CALLS[kind]
    paid.provider.errors = [error] if error else []

    provider = provider_for(paid.shop, SANDBOX, by=paid.order.account_id)
    [failed] = await asyncio.gather(make(provider, paid), return_exceptions=True)

    assert (failed is error) if error else not isinstance(failed, Exception)
    [begun, made] = await calls_of(paid.shop, paid.order)
    assert begun.kind is Kind.START
    about_refund = kind in (Kind.REFUND, Kind.QUERY_REFUND)
    assert (made.attempt_id, made.refund_id) == (
        (None, paid.refund.id) if about_refund else (paid.attempt.id, None)
    )
    assert (made.method, made.kind, made.outcome, made.actor_id) == (
        SANDBOX,
        kind,
        outcome,
        paid.order.account_id,
    )
    assert (made.answer, made.reason) == (None if error else answer, reason)
    assert (made.called_at, made.last_called_at, made.times) == (paid.shop.clock(), paid.shop.clock(), 1)
    assert 0 <= made.milliseconds < 10_000


SECRET = "zqmark"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (ScanCode(f"weixin://wxpay/bizpayurl?pr={SECRET}"), "QR_CODE"),
        (Redirect(f"https://openapi.alipay.com/gateway.do?sign={SECRET}"), "REDIRECT"),
        (AppParameters(f"app_id=1&sign={SECRET}"), "APP_PARAMETERS"),
        (ClientSecret(f"pi_1_secret_{SECRET}", f"pk_live_{SECRET}"), "CLIENT_SECRET"),
    ],
)
async def test_of_a_start_only_the_kind_of_its_action_is_recorded(
    shop: Shop, action: Action, kind: str
) -> None:
    order, attempt = await begin(shop, OutspokenProvider(action=action))

    [made] = await calls_of(shop, order)
    assert (made.answer, made.reason, made.actor_id) == (kind, None, order.account_id)
    assert SECRET in (attempt.action_value or "")
    assert SECRET not in str([getattr(made, column.key) for column in ProviderCall.__table__.c])


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("See https://pay.example.com/x?sign=abc now", "See … now"),
        ("Invalid API Key provided: sk_live_abc", "Invalid API Key provided: …"),
        ("No such intent pi_3N_secret_x1", "No such intent …"),
        (f"sign check fail: {'aB3/' * 20}==", "sign check fail: …"),
        ("buyer mei@example.com is blocked", "buyer … is blocked"),
        ("call 138 0013 8000", "call …"),
        ("from 203.0.113.9", "from …"),
        ("alipay.trade.query: ACQ.TRADE_NOT_EXIST", "alipay.trade.query: ACQ.TRADE_NOT_EXIST"),
        ("refund 20261111000014-R1 is done", "refund 20261111000014-R1 is done"),
        ("余额不足\n\u202e请重试", "余额不足 请重试"),
        ("no " * 200, ("no " * 200)[:REASON_LIMIT]),
    ],
)
def test_what_a_provider_says_is_kept_without_secrets_and_people(words: str, kept: str) -> None:
    assert withhold_secrets(words) == kept


async def test_the_same_answer_again_and_again_is_one_row(shop: Shop, tick: Tick) -> None:
    provider = OutspokenProvider()
    order, attempt = await begin(shop, provider)
    first_at = shop.clock()

    for _ in range(3):
        await query_attempt(shop, attempt.id)
        tick(timedelta(minutes=1))
    provider.errors = [ProviderError("down"), ProviderError("down")]
    for _ in range(2):
        with pytest.raises(ProviderError):
            await query_attempt(shop, attempt.id)
    await query_attempt(shop, attempt.id)

    rows = [
        (made.answer or made.reason, made.times, made.called_at, made.last_called_at)
        for made in (await calls_of(shop, order))[1:]
    ]
    minutes = [first_at + timedelta(minutes=number) for number in range(4)]
    assert rows == [
        ("WAITING", 3, minutes[0], minutes[2]),
        ("down", 2, minutes[3], minutes[3]),
        ("WAITING", 1, minutes[3], minutes[3]),
    ]


async def test_each_refund_that_was_answered_has_a_row_of_its_own(paid: Paid) -> None:
    provider = provider_for(paid.shop, SANDBOX)

    for _ in range(2):
        await provider.refund(paid.refund_start)

    made = (await calls_of(paid.shop, paid.order))[1:]
    assert [(each.kind, each.answer, each.times) for each in made] == [(Kind.REFUND, "SUCCEEDED", 1)] * 2


async def test_a_refund_that_falls_due_is_recorded_by_nobody_under_each_name_it_has(paid: Paid) -> None:
    await look_after_refund(paid.shop, paid.refund.id)
    renewed = replace(paid.refund_start, reference=f"{paid.refund.reference}-2")
    await provider_for(paid.shop, SANDBOX).query_refund(renewed, None)

    made = (await calls_of(paid.shop, paid.order))[1:]
    assert [(each.kind, each.refund_id, each.actor_id) for each in made] == [
        (Kind.REFUND, paid.refund.id, None),
        (Kind.QUERY_REFUND, paid.refund.id, None),
    ]


async def test_a_call_that_a_circuit_breaker_does_not_let_through_was_not_made(shop: Shop) -> None:
    provider = OutspokenProvider()
    order, attempt = await begin(shop, provider)
    provider.errors = [ProviderError("down")] * FAILURES_LIMIT

    for _ in range(FAILURES_LIMIT + 2):
        with pytest.raises(ProviderError):
            await query_attempt(shop, attempt.id)

    [_, made] = await calls_of(shop, order)
    assert (made.reason, made.times) == ("down", FAILURES_LIMIT)


async def test_a_call_that_nobody_waits_for_is_recorded(shop: Shop) -> None:
    provider = SilentProvider()
    order, attempt = await begin(shop, provider)
    question = asyncio.create_task(query_attempt(shop, attempt.id))
    await provider.asked.wait()

    question.cancel()
    await asyncio.wait([question])

    assert question.cancelled()
    [_, made] = await calls_of(shop, order)
    assert (made.outcome, made.reason) == (Outcome.NO_ANSWER, NOBODY_WAITED)


async def test_a_call_goes_well_while_the_database_is_away_and_the_log_has_it(paid: Paid) -> None:
    away = "sqlite+aiosqlite:////nowhere/shop.db"
    if paid.shop.database.dialect == "postgresql":
        away = "postgresql+asyncpg://nobody@127.0.0.1:1/nowhere"
    database = Database.open(away, pool_size=1)
    cut_off = replace(paid.shop, database=database)

    with structlog.testing.capture_logs() as logs:
        report = await provider_for(cut_off, SANDBOX).refund(paid.refund_start)

    await database.close()
    assert report.outcome is RefundOutcome.SUCCEEDED
    assert len(await calls_of(paid.shop, paid.order)) == 1
    [line] = [each for each in logs if each["event"] == "payment.call_not_recorded"]
    logged = {name: line[name] for name in ("provider", "call", "reference", "outcome", "answer")}
    assert logged == {
        "provider": SANDBOX,
        "call": Kind.REFUND,
        "reference": paid.refund.reference,
        "outcome": Outcome.ANSWERED,
        "answer": "SUCCEEDED",
    }


async def test_genuine_notices_are_recorded_taken_repeated_or_refused(shop: Shop) -> None:
    provider = OutspokenProvider()
    order, attempt = await begin(shop, provider)
    wrong = AttemptReport(attempt.reference, None, AttemptStatus.CAPTURED, Money(1, CNY))
    right = replace(wrong, amount=attempt.total)

    with pytest.raises(NoticeRefused, match="another amount"):
        await take_notice(shop, provider, PaymentNotice("1", wrong))
    verdicts = [await take_notice(shop, provider, PaymentNotice("2", right)) for _ in range(2)]

    assert verdicts == [Verdict.ACCEPTED, Verdict.REPEATED]
    made = (await calls_of(shop, order))[1:]
    assert [(each.kind, each.outcome, each.answer, each.reason, each.times) for each in made] == [
        (Kind.NOTICE, Outcome.REFUSED, "CAPTURED", "another amount", 1),
        (Kind.NOTICE, Outcome.ANSWERED, "CAPTURED", None, 2),
    ]
    assert {each.attempt_id for each in made} == {attempt.id}
    assert (await payment_of(shop, order)).status is PaymentStatus.CAPTURED


async def test_a_notice_about_a_refund_is_recorded_with_the_refund(paid: Paid) -> None:
    report = RefundReport(paid.refund.reference, None, RefundOutcome.SUCCEEDED, paid.refund.total)

    await take_notice(paid.shop, paid.provider, RefundNotice("1", report))

    made = (await calls_of(paid.shop, paid.order))[1:]
    assert [(each.kind, each.refund_id, each.answer) for each in made] == [
        (Kind.NOTICE, paid.refund.id, "SUCCEEDED")
    ]


async def test_a_notice_about_nothing_that_the_shop_knows_is_in_the_log_only(shop: Shop) -> None:
    provider = OutspokenProvider()
    report = AttemptReport("X-1", None, AttemptStatus.CAPTURED, Money(1, CNY))

    with structlog.testing.capture_logs() as logs, pytest.raises(NoticeRefused, match="unknown reference"):
        await take_notice(shop, provider, PaymentNotice("1", report))

    assert [each["reference"] for each in logs if each["event"] == "payment.call_not_recorded"] == ["X-1"]
    async with shop.database.reads() as session:
        assert (await session.scalars(select(ProviderCall))).all() == []
