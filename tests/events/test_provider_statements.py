"""Statements of the real protocols, from servers of ours, agree with what the shop has paid and refunded."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from sqlalchemy import select

from domain.cause import Cause
from domain.order import lock_order
from domain.payment import request_refund
from edge.commands.reconcile import reconcile_day, reconcile_file
from events.payment import PaymentStart, begin_payment, look_after_refund, query_attempt
from events.shop import Shop
from gateways.payment.alipay.values import BEIJING
from gateways.payment.provider import Attempt, PaymentProvider, StatementSource
from models import (
    AttemptStatus,
    CurrencyCode,
    LedgerAccount,
    Money,
    Order,
    PaymentAttempt,
    Refund,
    RefundStatus,
    StatementDifference,
)
from tests.conftest import Clock
from tests.factories.order import create_order
from tests.factories.payment import connect_provider, payment_of, refunds_of
from tests.gateways.payment.alipay import desk as alipay
from tests.gateways.payment.card import desk as card
from tests.gateways.payment.provider_contract import ProviderDesk, begin_paid
from tests.gateways.payment.wechat_pay import server as wechat_pay
from tests.gateways.payment.wechat_pay.test_contract import WeChatPayDesk
from tests.given import ledger_balances
from tests.observe import assert_books_agree

CNY = CurrencyCode.CNY
QUIET = Console(file=io.StringIO())

EditLine = Callable[[str], list[str]]
"""The lines that come in place of one."""


@dataclass(frozen=True, slots=True)
class Station:
    """A provider at its server, and how its statements are edited."""

    desk: ProviderDesk
    time_zone: tzinfo
    edit: Callable[[bytes, EditLine], bytes]
    """The same file with other lines and totals that fit them."""
    copy: Callable[[str], str] = lambda line: line
    """A second line that says the same."""

    @property
    def provider(self) -> PaymentProvider:
        return self.desk.provider


def edit_trades(content: bytes, change: EditLine) -> bytes:
    """Edit Alipay's trade detail; the ZIP becomes a plain file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        [name] = [each for each in archive.namelist() if each.endswith("业务明细.csv")]
        old = archive.read(name).decode("gb18030").splitlines()
    lines = [new for line in old for new in (change(line) if line[:1].isdigit() else [line])]
    for at, line in enumerate(lines):
        for label, kind in (("#交易合计", "交易"), ("#退款合计", "退款")):
            if line.startswith(label):
                rows = [row.split(",") for row in lines if row[:1].isdigit()]
                sums = [Decimal(cells[12]) for cells in rows if cells[2].strip() == kind]
                lines[at] = f"{label}：{len(sums)}笔，商家实收共{sum(sums, Decimal('0.00'))}元"
    return "\r\n".join(lines).encode("gb18030")


def edit_bill(content: bytes, change: EditLine) -> bytes:
    """Edit WeChat Pay's trade bill."""
    lines = content.decode("utf-8-sig").splitlines()
    rows = [new for line in lines[1:-2] for new in change(line)]
    cells = [row.removeprefix("`").split(",`") for row in rows]
    sums = [sum((Decimal(row[at]) for row in cells), Decimal()) for at in (12, 16, 17, 22, 24, 25)]
    totals = ",".join(f"`{figure}" for figure in (len(rows), *sums))
    return "\r\n".join([lines[0], *rows, lines[-2], totals, ""]).encode()


def edit_balance(content: bytes, change: EditLine) -> bytes:
    """Edit Stripe's balance report, which has no totals."""
    head, *rows = content.decode().splitlines()
    return "\r\n".join([head, *(new for row in rows for new in change(row)), ""]).encode()


@asynccontextmanager
async def alipay_station(folder: Path) -> AsyncIterator[Station]:
    with alipay.run_server(folder) as server:
        async with alipay.open_desk(server) as desk:
            yield Station(desk, BEIJING, edit_trades)


@asynccontextmanager
async def wechat_pay_station(folder: Path) -> AsyncIterator[Station]:
    with wechat_pay.run_server(folder) as printed:
        async with httpx.AsyncClient(trust_env=False) as client:
            server = wechat_pay.WeChatPayServer(printed["url"], printed["environment"], folder, client)
            desk = WeChatPayDesk(server, server.connect(), server.connect().api.merchant)
            yield Station(desk, BEIJING, edit_bill)


@asynccontextmanager
async def card_station(folder: Path) -> AsyncIterator[Station]:
    async with card.open_desk() as desk:
        desk.amount = Money(12_900, CNY)
        yield Station(desk, UTC, edit_balance, lambda line: line.replace("txn_", "txn_again_"))


@pytest.fixture(params=[alipay_station, wechat_pay_station, card_station], ids=["Alipay", "WeChat", "card"])
async def station(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Station]:
    async with request.param(tmp_path / "keys") as station:
        yield station


@dataclass(frozen=True, slots=True)
class Paid:
    attempt: PaymentAttempt
    refund: Refund


async def pay_and_refund(shop: Shop, clock: Clock, station: Station) -> Paid:
    """An order of 99.00 CNY paid at the provider, of which 3.00 CNY have gone back."""
    desk, method = station.desk, station.provider.method
    async with shop.database.writes.begin() as session:
        order = await create_order(session, payments={method: None}, now=shop.clock())
    payment = await payment_of(shop, order, method)
    start = PaymentStart(channel=desk.calling_channel)
    started = (await begin_payment(shop, payment.id, by=order.account_id, start=start)).attempt
    await desk.pay(Attempt(started.reference, started.provider_reference, started.total))
    clock.now = datetime.now(UTC)
    assert await query_attempt(shop, started.id) is AttemptStatus.CAPTURED
    async with shop.database.writes.begin() as session:
        order = await lock_order(session, order.id)
        [refund] = await request_refund(
            session, order, Money(300, CNY), reason="x", cause=Cause(shop.clock())
        )
    await look_after_refund(shop, refund.id)
    await desk.settle_refund(refund.reference)
    clock.now = datetime.now(UTC) + shop.settings.payments.refund_query_interval
    await look_after_refund(shop, refund.id)
    [refund] = await refunds_of(shop, order)
    assert refund.status is RefundStatus.SUCCEEDED
    async with shop.database.reads() as session:
        return Paid(await session.get_one(PaymentAttempt, started.id), refund)


async def open_differences(shop: Shop) -> list[tuple[str, str, str, str]]:
    async with shop.database.reads() as session:
        rows = await session.scalars(
            select(StatementDifference)
            .where(StatementDifference.resolved_at.is_(None))
            .order_by(StatementDifference.id)
        )
        return [(each.kind.value, each.reference, each.expected, each.found) for each in rows]


def drop_line(name: str) -> EditLine:
    return lambda line: [] if name in line else [line]


async def test_a_fetched_day_agrees_and_whatever_is_changed_in_it_is_named(
    shop: Shop, clock: Clock, station: Station, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)
    connect_provider(shop, station.provider)
    method, source = station.provider.method, station.provider
    assert isinstance(source, StatementSource)
    paid = await pay_and_refund(shop, clock, station)
    name, back = paid.attempt.reference, paid.refund.reference
    today = datetime.now(station.time_zone).date()

    assert [await reconcile_day(shop, today, method, QUIET) for _ in range(2)] == [0, 0]

    assert await open_differences(shop) == []
    await assert_books_agree(shop)
    content = await source.fetch_statement(today)
    lines = source.read_statement(content).lines
    async with shop.database.reads() as session:
        order = await session.get_one(Order, paid.refund.order_id)
        order_fees = (await ledger_balances(session, order))[LedgerAccount.FEES]
    assert order_fees == sum(line.fee.minor for line in lines) > 0

    async def reconcile(change: EditLine) -> int:
        file = tmp_path / "statement"
        await asyncio.to_thread(file.write_bytes, station.edit(content, change))
        return await reconcile_file(shop, file, method, QUIET)

    def change_amount(line: str) -> list[str]:
        return [line.replace("99.00", "98.00").replace("95.82", "94.82") if "99.00" in line else line]

    assert await reconcile(change_amount) == 1
    assert await open_differences(shop) == [("AMOUNT", name, "99.00 CNY", "98.00 CNY")]
    assert await reconcile(drop_line(back)) == 1
    assert await open_differences(shop) == [("MISSING_THERE", back, "-3.00 CNY", "-")]
    assert await reconcile(lambda line: [line, station.copy(line)] if back in line else [line]) == 1
    [returned] = [line.fee for line in lines if line.reference == back]
    twice = [("FEE", back, str(returned), str(returned + returned))] if returned.minor else []
    assert await open_differences(shop) == [("AMOUNT", back, "-3.00 CNY", "-6.00 CNY"), *twice]
    stranger = await begin_paid(station.desk)
    assert await reconcile_day(shop, today, method, QUIET) == 1
    assert await open_differences(shop) == [
        ("UNKNOWN_HERE", stranger.reference, "-", str(station.desk.amount))
    ]

    assert await reconcile(lambda line: [line]) == 0

    assert await open_differences(shop) == []
    await assert_books_agree(shop)
