"""Statements of Alipay are read by the names of their columns, and their totals must fit."""

import io
import zipfile
from datetime import UTC, datetime

import pytest

from gateways.payment.alipay.statement import read_statement
from gateways.payment.alipay.values import BEIJING
from gateways.payment.provider import Statement, StatementUnreadable
from models import CurrencyCode, Money, StatementKind
from tests.gateways.payment.alipay.desk import AlipayDesk
from tests.gateways.payment.provider_contract import begin_paid, part_of

TRADES = """\
#支付宝业务明细查询
#账号：[20880000000000000156]
#-----------------------------------------业务明细列表----------------------------------------
支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注
2026111122001\t,A1\t,交易\t,茶 㐀,2026-11-11 00:00:01,2026-11-11 00:00:09,\t,\t,\t,\t,*梅\t,128.05,126.05,0.00,0.00,2.00,0.00,0.00,,0.00\t,0.00,\t,-0.77,0.00,
2026111122001\t,A1\t,退款\t,茶 㐀,2026-11-11 00:00:01,2026-11-11 10:00:00,\t,\t,\t,\t,*梅\t,-3.00,-3.00,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,R1\t,0.02,0.00,
#-----------------------------------------业务明细列表结束------------------------------------
#交易合计：1笔，商家实收共126.05元，商家优惠共0.00元
#退款合计：1笔，商家实收退款共-3.00元，商家优惠退款共0.00元
#导出时间：[2026年11月12日 06:27:10]
"""  # noqa: E501
MONEY = """\
#支付宝账务明细查询
#-----------------------------------------账务明细列表----------------------------------------
账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注
54632446537371\t,2026111122001\t,A1\t,茶,2026-11-11 00:00:09,*梅\t,128.05,0.00,128.05,支付宝,在线支付,
54632446537372\t,2026111122001\t,A1\t,茶,2026-11-11 00:00:09,\t,0.00,-0.77,127.28,支付宝,收费,
54632446537373\t,2026111122001\t,A1\t,茶,2026-11-11 10:00:00,*梅\t,0.00,-3.00,124.28,支付宝,交易退款,
54632446537374\t,2026111100002\t,\t,,2026-11-11 23:00:00,\t,0.00,-100.00,24.28,支付宝,提现,
#----------------------------------------账务明细列表结束-------------------------------------
#支出合计：3笔，共-103.77元
#收入合计：1笔，共128.05元
#导出时间：[2026年11月12日 06:27:10]
"""


def read(content: bytes, *, seller_id: str = "2088000000000000") -> Statement:
    return read_statement(content, seller_id=seller_id)


def test_the_statement_of_another_merchant_is_refused() -> None:
    with pytest.raises(StatementUnreadable, match="another merchant"):
        read(TRADES.encode(), seller_id="2088000000000001")


def cny(minor: int) -> Money:
    return Money(minor, CurrencyCode.CNY)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("zipped", [False, True])
def test_trade_detail_tells_payments_refunds_and_fees(encoding: str, zipped: bool) -> None:
    content = TRADES.encode(encoding)

    payment, refund = read(zip_up(content) if zipped else content).lines

    assert (payment.kind, payment.reference, payment.provider_reference, payment.line) == (
        StatementKind.PAYMENT,
        "A1",
        "2026111122001",
        5,
    )
    assert (payment.amount, payment.fee) == (cny(128_05), cny(77))
    assert payment.happened_at == datetime(2026, 11, 10, 16, 0, 9, tzinfo=UTC)
    assert (refund.kind, refund.reference, refund.amount, refund.fee) == (
        StatementKind.REFUND,
        "R1",
        cny(-3_00),
        cny(-2),
    )


def test_money_detail_tells_what_came_and_went() -> None:
    lines = read(MONEY.encode("gb18030")).lines

    assert [(line.kind, line.reference, line.amount.minor) for line in lines] == [
        (StatementKind.PAYMENT, "A1", 128_05),
        (StatementKind.FEE, "A1", -77),
        (StatementKind.REFUND, "A1", -3_00),
        (StatementKind.OTHER, None, -100_00),
    ]


def test_columns_are_found_by_name_wherever_they_are() -> None:
    moved = [
        line if line.startswith("#") or not line else ",".join(reversed(line.split(",")))
        for line in TRADES.splitlines()
    ]

    assert read("\n".join(moved).encode("gb18030")).lines == read(TRADES.encode()).lines


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("交易合计：1笔", "交易合计：2笔"),
        ("商家实收共126.05元", "商家实收共126.06元"),
        ("商家实收退款共-3.00元", "商家实收退款共-4.00元"),
        ("#交易合计", "#总计"),
        ("128.05", "128.055"),
        ("128.05,", "128.05,,"),
        ("2026-11-11 00:00:09", "soon"),
        ("商户订单号", "订单"),
        ("126.05,0.00,0.00,2.00", "125.05,0.00,0.00,2.00"),
    ],
)
def test_a_statement_that_does_not_fit_its_totals_or_names_is_refused(old: str, new: str) -> None:
    assert old in TRADES

    with pytest.raises(StatementUnreadable):
        read(TRADES.replace(old, new).encode("gb18030"))


def test_a_statement_that_was_cut_off_is_refused_wherever_that_was() -> None:
    whole = TRADES.encode("gb18030")
    end = whole.index("#退款合计".encode("gb18030"))

    for length in range(0, end, 7):
        with pytest.raises(StatementUnreadable):
            read(whole[:length])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK", b"\xff\xff\xff", b"<html></html>", b"#\n#\n"])
def test_what_is_no_statement_is_refused(content: bytes) -> None:
    with pytest.raises(StatementUnreadable):
        read(content)


async def test_the_statement_of_a_day_is_fetched_and_has_what_was_paid_and_refunded(desk: AlipayDesk) -> None:
    today = datetime.now(BEIJING).date()
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    await desk.provider.refund(refund)

    statement = desk.provider.read_statement(await desk.provider.fetch_statement(today))

    found = {line.reference: line for line in statement.lines}
    assert (found[attempt.reference].kind, found[attempt.reference].amount) == (
        StatementKind.PAYMENT,
        desk.amount,
    )
    assert found[attempt.reference].fee == cny(77)
    assert (found[refund.reference].kind, found[refund.reference].amount) == (StatementKind.REFUND, cny(-300))


def zip_up(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("汇总.csv", "#支付宝业务汇总查询\r\n门店编号,门店名称\r\n".encode("gb18030"))
        files.writestr("明细.csv", content)
    return archive.getvalue()
