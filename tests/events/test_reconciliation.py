"""A provider's statement against the books: what only one of both has, and what differs."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment import (
    fail_refund,
    request_refund,
    retry_refund,
    settle_attempt,
    settle_refund,
    start_payment,
)
from edge.commands.reconcile import reconcile_and_print, reconcile_day, reconcile_file
from events.shop import Shop
from gateways.payment.provider import ProviderError, Statement, StatementUnreadable
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    LedgerAccount,
    Money,
    Order,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Refund,
    Role,
    StatementDifference,
    StatementEntry,
    StatementForm,
    StatementKind,
    StatementLine,
)
from tests.clients import Clients
from tests.factories.dispute import create_dispute
from tests.factories.order import NOW, SANDBOX, create_order, payments_of
from tests.given import id_of, ledger_balances
from tests.observe import assert_books_agree, read_all_rows

CNY = CurrencyCode.CNY
PAYMENT, REFUND, DISPUTE = StatementKind.PAYMENT, StatementKind.REFUND, StatementKind.DISPUTE
RESOLVE = """
mutation ($input: StatementDifferenceResolveInput!) {
  statementDifferenceResolve(input: $input) {
    statementDifference { note resolvedBy { id } } userErrors { code field }
  }
}
"""
OPEN = """
{ statementDifferences { totalCount nodes { id kind subject reference expected found order { number } } } }
"""
QUIET = Console(file=io.StringIO())


class StatingProvider:
    """A provider whose statements are lines of kind, reference, minor units, fee and moment."""

    method = SANDBOX
    form = StatementForm.MONEY
    reachable = True
    content = b""

    async def fetch_statement(self, day: date) -> bytes:
        if not self.reachable:
            raise ProviderError("nobody there")
        return self.content

    def read_statement(self, content: bytes) -> Statement:
        try:
            lines = [
                StatementLine(
                    number, StatementKind(kind), reference or None,
                    reference if kind == DISPUTE else f"tx-{reference}",
                    Money(int(amount), CNY), Money(int(fee), CNY), datetime.fromisoformat(moment),
                )
                for number, (kind, reference, amount, fee, moment) in enumerate(
                    csv.reader(io.StringIO(content.decode())), start=1
                )
            ]  # fmt: skip
        except ValueError as error:
            raise StatementUnreadable(f"This is no statement: {error}") from None
        return Statement(SANDBOX, lines, self.form, ZoneInfo("Asia/Shanghai"))


Line = tuple[StatementKind, str, int, int, datetime]


@pytest.fixture
def provider(shop: Shop) -> StatingProvider:
    provider = StatingProvider()
    cast("dict[PaymentMethod, Any]", shop.payments)[SANDBOX] = provider
    return provider


def write_statement(lines: Sequence[Line]) -> bytes:
    return "".join(f"{k},{r},{a},{f},{m.isoformat()}\n" for k, r, a, f, m in lines).encode()


async def reconcile(shop: Shop, file: Path, *lines: Line) -> int:
    """The exit code for a file of these lines."""
    await asyncio.to_thread(file.write_bytes, write_statement(lines))
    return await reconcile_file(shop, file, None, QUIET)


async def paid_order(session: AsyncSession) -> tuple[Order, Payment]:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    return order, payment


def name_of(payment: Payment) -> str:
    """The reference of the first attempt of a payment."""
    return payment.attempt_reference or f"{payment.reference}_1".replace("-", "_")


async def differences(shop: Shop, *, resolved: bool = False) -> list[tuple[str, str, str, str]]:
    async with shop.database.reads() as session:
        rows = await session.scalars(select(StatementDifference).order_by(StatementDifference.id))
        return [
            (each.kind.value, each.reference, each.expected, each.found)
            for each in rows
            if (each.resolved_at is not None) is resolved
        ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "statement.csv"


async def test_a_statement_that_agrees_posts_its_fees_once_and_makes_no_task(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    [refund] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    dispute = await create_dispute(session, (await paid_order(session))[0])
    disputed = await session.get_one(Payment, dispute.payment_id)
    await session.commit()
    lines = [
        (PAYMENT, name_of(payment), 9_900, 60, NOW),
        (REFUND, refund.reference, -900, -5, NOW),
        (PAYMENT, name_of(disputed), 9_900, 60, NOW),
        (DISPUTE, "dp_1", -9_900, 1_500, NOW),
        (StatementKind.OTHER, "payout", -20_000, 0, NOW),
    ]

    assert [await reconcile(shop, file, *lines) for _ in range(2)] == [0, 0]

    assert await differences(shop) == await differences(shop, resolved=True) == []
    assert (await ledger_balances(session, order))[LedgerAccount.FEES] == 55
    assert await session.scalar(select(func.count(StatementEntry.id))) == 5
    await session.commit()
    await assert_books_agree(shop)


async def test_each_way_to_differ_is_a_task_once(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    _, wrong = await paid_order(session)
    _, late = await paid_order(session)
    order, unstated = await paid_order(session)
    [refund] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    [unpaid] = await payments_of(session, await create_order(session))
    await start_payment(session, unpaid.id, query_at=NOW, cause=Cause(NOW))
    await session.commit()
    next_day = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    lines = [
        (PAYMENT, name_of(wrong), 9_901, 0, NOW),
        (PAYMENT, name_of(late), 9_900, 0, next_day),
        (PAYMENT, name_of(unpaid), 9_900, 0, NOW),
        (PAYMENT, "stranger", 500, 0, NOW),
        (REFUND, "stranger-R1", -500, 0, NOW),
        (DISPUTE, "dp_9", -500, 0, NOW),
    ]

    assert [await reconcile(shop, file, *lines) for _ in range(2)] == [1, 1]

    assert sorted(await differences(shop)) == sorted(
        [
            ("AMOUNT", name_of(wrong), "99.00 CNY", "99.01 CNY"),
            ("DAY", name_of(late), "2026-03-01", "2026-03-02"),
            ("MISSING_HERE", name_of(unpaid), "STARTED", "99.00 CNY"),
            ("UNKNOWN_HERE", "stranger", "-", "5.00 CNY"),
            ("UNKNOWN_HERE", "stranger-R1", "-", "-5.00 CNY"),
            ("UNKNOWN_HERE", "dp_9", "-", "-5.00 CNY"),
            ("MISSING_THERE", name_of(unstated), "99.00 CNY", "-"),
            ("MISSING_THERE", refund.reference, "-9.00 CNY", "-"),
        ]
    )


async def test_a_minute_before_midnight_in_the_zone_of_the_provider_is_the_same_day(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    _, payment = await paid_order(session)
    await session.commit()
    last_minute = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    assert await reconcile(shop, file, (PAYMENT, name_of(payment), 9_900, 0, last_minute)) == 0


async def test_a_payment_that_is_stated_twice_differs_in_its_amount(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    _, payment = await paid_order(session)
    await session.commit()
    twice = [(PAYMENT, name_of(payment), 9_900, 0, NOW + timedelta(minutes=each)) for each in range(2)]
    assert await reconcile(shop, file, *twice) == 1
    assert await differences(shop) == [("AMOUNT", name_of(payment), "99.00 CNY", "198.00 CNY")]


async def test_a_later_statement_resolves_what_it_agrees_with(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    _, payment = await paid_order(session)
    await session.commit()
    assert await reconcile(shop, file, (StatementKind.OTHER, "payout", -1, 0, NOW)) == 1

    assert await reconcile(shop, file, (PAYMENT, name_of(payment), 9_900, 0, NOW)) == 0

    assert await differences(shop) == []
    assert await differences(shop, resolved=True) == [("MISSING_THERE", name_of(payment), "99.00 CNY", "-")]


async def test_staff_resolve_a_difference_and_its_fee_is_booked_as_stated(
    shop: Shop, session: AsyncSession, clients: Clients, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    await session.commit()
    await reconcile(shop, file, (PAYMENT, name_of(payment), 9_900, 60, NOW))
    correction = (PAYMENT, name_of(payment), 9_900, 65, NOW)
    assert await reconcile(shop, file, correction) == 1
    support = await clients.staff(Role.SUPPORT)
    found = (await support.get(OPEN))["statementDifferences"]
    [node] = found["nodes"]
    assert node | {"id": ""} == {
        "id": "",
        "kind": "FEE",
        "subject": "PAYMENT",
        "reference": name_of(payment),
        "expected": "0.60 CNY",
        "found": "0.65 CNY",
        "order": {"number": order.number},
    }

    resolved = await support.do(RESOLVE, id=node["id"], note="A new tariff.")

    assert support.account
    assert resolved["statementDifference"] == {
        "note": "A new tariff.",
        "resolvedBy": {"id": id_of(support.account)},
    }
    again = await support.do(RESOLVE, id=node["id"], note="Once more.")
    assert [error["code"] for error in again["userErrors"]] == ["WRONG_STATE"]
    assert (await ledger_balances(session, order))[LedgerAccount.FEES] == 65
    await session.commit()
    assert await reconcile(shop, file, correction) == 0
    await session.commit()
    await assert_books_agree(shop)


async def test_an_unreadable_statement_changes_nothing(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    await asyncio.to_thread(file.write_bytes, b"PAYMENT,x,many,0,today\n")
    assert await reconcile_file(shop, file, None, QUIET) == 2
    assert await session.scalar(select(func.count(StatementEntry.id))) == 0
    await session.commit()


async def test_a_day_is_fetched_from_the_provider_and_an_empty_one_lists_what_is_missing_there(
    shop: Shop, session: AsyncSession, provider: StatingProvider
) -> None:
    _, payment = await paid_order(session)
    await session.commit()
    assert await reconcile_day(shop, date(2026, 3, 1), None, QUIET) == 1
    assert await differences(shop) == [("MISSING_THERE", name_of(payment), "99.00 CNY", "-")]
    assert await reconcile_day(shop, date(2026, 3, 2), None, QUIET) == 0

    provider.reachable = False
    assert await reconcile_day(shop, date(2026, 3, 1), None, QUIET) == 2


@pytest.mark.parametrize("year", [1999, 9999])
async def test_a_line_of_no_day_that_was_makes_a_statement_unreadable(
    shop: Shop, provider: StatingProvider, session: AsyncSession, tmp_path: Path, year: int
) -> None:
    _, payment = await paid_order(session)
    await session.commit()
    before = await read_all_rows(shop)
    moment = datetime(year, 12, 31, 23, tzinfo=UTC)

    code = await reconcile(shop, tmp_path / "day.csv", (PAYMENT, name_of(payment), 9_900, 60, moment))

    assert (code, await read_all_rows(shop)) == (2, before)


async def test_a_day_to_come_is_not_fetched(shop: Shop, provider: StatingProvider) -> None:
    before = await read_all_rows(shop)

    code = await reconcile_day(shop, shop.clock().date() + timedelta(days=2), None, QUIET)

    assert (code, await read_all_rows(shop)) == (2, before)


async def test_what_a_statement_says_does_not_control_the_terminal(
    shop: Shop, provider: StatingProvider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await reconcile(shop, tmp_path / "day.csv", (PAYMENT, "A\x1b[2J\u202eB", 9_900, 60, NOW))

    assert "A[2JB" in capsys.readouterr().out


async def test_a_refund_by_bank_transfer_is_not_missed_at_the_provider(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    [refund] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await settle_refund(
        session, refund.id, provider_reference="BANK", cause=Cause(NOW), out_of=LedgerAccount.BANK
    )
    await session.commit()
    assert await reconcile(shop, file, (PAYMENT, name_of(payment), 9_900, 0, NOW)) == 0


async def test_what_was_read_last_is_what_a_provider_states_of_a_day(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    _, payment = await paid_order(session)
    _, other = await paid_order(session)
    await session.commit()
    right = [(PAYMENT, name_of(each), 9_900, 0, NOW) for each in (payment, other)]
    wrong = [(PAYMENT, name_of(payment), 9_800, 0, NOW), (PAYMENT, "stranger", 500, 0, NOW)]

    assert await reconcile(shop, file, *wrong) == 1
    found = [
        ("AMOUNT", name_of(payment), "99.00 CNY", "98.00 CNY"),
        ("UNKNOWN_HERE", "stranger", "-", "5.00 CNY"),
        ("MISSING_THERE", name_of(other), "99.00 CNY", "-"),
    ]
    assert await differences(shop) == found
    assert await reconcile(shop, file, *right) == 0
    assert (await differences(shop), await differences(shop, resolved=True)) == ([], found)
    assert await reconcile(shop, file, *wrong) == 1
    assert (await differences(shop), await differences(shop, resolved=True)) == (found, [])


async def test_two_lines_that_say_the_same_are_two(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    _, payment = await paid_order(session)
    await session.commit()
    line = (PAYMENT, name_of(payment), 9_900, 0, NOW)

    assert [await reconcile(shop, file, line, line) for _ in range(2)] == [1, 1]

    assert await differences(shop) == [("AMOUNT", name_of(payment), "99.00 CNY", "198.00 CNY")]
    assert await reconcile(shop, file, line) == 0


async def test_an_attempt_that_brought_two_payments_is_one_line(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    attempt = await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
    attempt.amount = 12_000  # what was paid for an order that has become cheaper meanwhile
    report = AttemptReport(attempt.reference, "tx", AttemptStatus.CAPTURED, attempt.total)
    await settle_attempt(session, method=SANDBOX, report=report, cause=Cause(NOW))
    [refund] = await session.scalars(select(Refund))
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    await session.commit()
    assert [each.captured_amount for each in await payments_of(session, order)] == [9_900, 2_100]
    await session.commit()

    lines = [(PAYMENT, attempt.reference, 12_000, 72, NOW), (REFUND, refund.reference, -2_100, 0, NOW)]
    assert await reconcile(shop, file, *lines) == 0
    assert await reconcile(shop, file, (PAYMENT, attempt.reference, 9_900, 72, NOW)) == 1

    assert await differences(shop) == [
        ("AMOUNT", attempt.reference, "120.00 CNY", "99.00 CNY"),
        ("MISSING_THERE", refund.reference, "-21.00 CNY", "-"),
    ]
    await assert_books_agree(shop)


async def test_lines_may_name_attempts_and_refunds_as_the_provider_does(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    [attempt] = await session.scalars(select(PaymentAttempt).where(PaymentAttempt.payment_id == payment.id))
    attempt.provider_reference = "pi_1"
    [refund] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await settle_refund(session, refund.id, provider_reference="re_1", cause=Cause(NOW))
    await session.commit()

    assert await reconcile(shop, file, (PAYMENT, "pi_1", 9_900, 60, NOW), (REFUND, "re_1", -900, 0, NOW)) == 0

    assert (await ledger_balances(session, order))[LedgerAccount.FEES] == 60
    await session.commit()
    assert (
        await reconcile(
            shop,
            file,
            (PAYMENT, name_of(payment), 9_900, 60, NOW),
            (REFUND, refund.reference, -900, 0, NOW),
        )
        == 0
    )
    assert (await ledger_balances(session, order))[LedgerAccount.FEES] == 60
    await session.commit()


async def test_the_movements_of_an_account_are_compared_beside_the_trades(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    [first] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await settle_refund(session, first.id, provider_reference="R", cause=Cause(NOW))
    await session.commit()
    name = name_of(payment)
    trades = [(PAYMENT, name, 9_900, 60, NOW), (REFUND, first.reference, -900, 0, NOW)]
    money = [
        (PAYMENT, name, 9_900, 0, NOW),
        (StatementKind.FEE, name, -60, 0, NOW),
        (REFUND, name, -900, 0, NOW),
        (StatementKind.FEE, "", -500, 0, NOW),
    ]

    provider.form = StatementForm.TRADES
    assert await reconcile(shop, file, *trades) == 0
    provider.form = StatementForm.MONEY
    assert await reconcile(shop, file, *money) == 0
    assert (await ledger_balances(session, order))[LedgerAccount.FEES] == 60
    await session.commit()
    changed = [money[0], (StatementKind.FEE, name, -61, 0, NOW), (REFUND, name, -800, 0, NOW)]
    assert await reconcile(shop, file, *changed) == 1

    assert await differences(shop) == [
        ("AMOUNT", name, "-9.00 CNY", "-8.00 CNY"),
        ("FEE", name, "0.60 CNY", "0.61 CNY"),
    ]
    provider.form = StatementForm.TRADES
    assert await reconcile(shop, file, *trades) == 0


async def test_fees_in_lines_of_their_own_are_posted_where_no_other_statement_tells_them(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    await session.commit()
    lines = [
        (PAYMENT, name_of(payment), 9_900, 0, NOW),
        (StatementKind.FEE, name_of(payment), -60, 0, NOW),
    ]

    assert [await reconcile(shop, file, *lines) for _ in range(2)] == [0, 0]

    assert (await ledger_balances(session, order))[LedgerAccount.FEES] == 60
    await session.commit()
    await assert_books_agree(shop)


async def test_a_refund_that_came_back_is_no_difference_once_the_shop_knows_it_failed(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    [refund] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await fail_refund(session, refund.id, reason="closed", retry_after=timedelta(days=1), cause=Cause(NOW))
    await session.commit()
    gone = [(PAYMENT, name_of(payment), 9_900, 0, NOW), (REFUND, refund.reference, -900, 0, NOW)]

    assert await reconcile(shop, file, *gone) == 1
    assert await differences(shop) == [("MISSING_HERE", refund.reference, "FAILED", "-9.00 CNY")]
    assert await reconcile(shop, file, *gone, (REFUND, refund.reference, 900, 0, NOW)) == 0


async def test_a_difference_that_staff_have_resolved_stays_so_however_often_it_is_read(
    shop: Shop, session: AsyncSession, clients: Clients, provider: StatingProvider, file: Path
) -> None:
    assert await reconcile(shop, file, (PAYMENT, "stranger", 500, 0, NOW)) == 1
    support = await clients.staff(Role.SUPPORT)
    [node] = (await support.get(OPEN))["statementDifferences"]["nodes"]

    await support.do(RESOLVE, id=node["id"], note="Paid into the wrong shop, and sent back.")

    assert await reconcile(shop, file, (PAYMENT, "stranger", 500, 0, NOW)) == 0
    assert await differences(shop) == []


async def test_a_fee_in_another_currency_than_its_payment_is_told_and_not_booked(
    shop: Shop, session: AsyncSession, provider: StatingProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    order, payment = await paid_order(session)
    await session.commit()
    line = StatementLine(
        1, PAYMENT, name_of(payment), None, Money(9_900, CNY), Money(40, CurrencyCode.EUR), NOW
    )
    statement = Statement(SANDBOX, [line], StatementForm.MONEY, UTC)

    assert await reconcile_and_print(shop, statement, None, QUIET) == 0

    assert LedgerAccount.FEES not in await ledger_balances(session, order)
    await session.commit()
    assert capsys.readouterr().out.splitlines() == [
        "SANDBOX MONEY 2026-03-01: 1 lines",
        "  1 PAYMENT: 99.00 CNY",
        "  fees beside them: 0.40 EUR",
        "  1 fees are in another currency than their payment, and not in the books",
        "  0 fees posted, 0 earlier differences resolved",
        "All of it agrees.",
    ]


async def test_a_refund_is_stated_under_the_name_it_was_sent_by_last(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    [refund] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await fail_refund(
        session, refund.id, reason="ended", retry_after=timedelta(0), cause=Cause(NOW), renew=True
    )
    assert await retry_refund(session, refund.id, cause=Cause(NOW))
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    await session.commit()
    paid, last = (PAYMENT, name_of(payment), 9_900, 0, NOW), f"{refund.reference}-2"
    assert refund.sent_reference == last

    assert await reconcile(shop, file, paid, (REFUND, last, -900, 0, NOW)) == 0
    assert await reconcile(shop, file, paid) == 1
    assert await differences(shop) == [("MISSING_THERE", refund.reference, "-9.00 CNY", "-")]
    twice = [(REFUND, each, -900, 0, NOW) for each in (refund.reference, last)]
    assert await reconcile(shop, file, paid, *twice) == 1
    assert await differences(shop) == [("MISSING_HERE", refund.reference, "SUCCEEDED", "-9.00 CNY")]


async def test_a_refund_that_the_bank_has_paid_is_not_to_be_stated_by_the_provider(
    shop: Shop, session: AsyncSession, provider: StatingProvider, file: Path
) -> None:
    order, payment = await paid_order(session)
    [refund] = await request_refund(session, order, Money(900, CNY), reason="x", cause=Cause(NOW))
    await settle_refund(
        session, refund.id, provider_reference="BANK", cause=Cause(NOW), out_of=LedgerAccount.BANK
    )
    await session.commit()
    lines = [(PAYMENT, name_of(payment), 9_900, 0, NOW), (REFUND, refund.reference, -900, 0, NOW)]

    assert await reconcile(shop, file, *lines) == 1

    assert await differences(shop) == [("MISSING_HERE", refund.reference, "SUCCEEDED", "-9.00 CNY")]
