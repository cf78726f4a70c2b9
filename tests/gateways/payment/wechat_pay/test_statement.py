"""Trade bills: fetched with their hash, read by the names of columns, totals checked."""

import gzip
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateways.payment.provider import ProviderError, StatementUnreadable
from gateways.payment.wechat_pay import WeChatPay
from gateways.payment.wechat_pay.bill import EMPTY_BILL, read_bill
from models import StatementKind, StatementLine
from tests.gateways.payment.wechat_pay.attempts import paid_attempt, refund_of, yuan
from tests.gateways.payment.wechat_pay.server import WeChatPayServer

BEIJING = timezone(timedelta(hours=8))
MERCHANT_ID = "1900000109"

HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
PAID = (
    "`2026-11-11 10:20:30,`wxd678efh567hg6787,`1900000109,`0,`,`4200001,`A1,`openid,`NATIVE,`SUCCESS,"
    "`OTHERS,`CNY,`9.99,`10.00,`0,`0,`0.00,`0.00,`,`,`Tea, green,`,`0.12000,`0.60%,`19.99,`0.00,`"
)
REFUNDED = (
    "`2026-11-11 23:59:59,`wxd678efh567hg6787,`1900000109,`0,`,`4200001,`A1,`openid,`NATIVE,`REFUND,"
    "`OTHERS,`CNY,`0.00,`0.00,`5030001,`R1,"
    "`3.00,`0.00,`ORIGINAL,`PROCESSING,`Tea, green,`,`-0.02000,`0.60%,`0.00,`3.00,`"
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FIGURES = "`2,`9.99,`3.00,`0.00,`0.10000,`19.99,`3.00"


def bill(*lines: str) -> bytes:
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def test_a_bill_is_read_by_the_names_of_its_columns() -> None:
    payment, refund = read_bill(bill(HEAD, PAID, REFUNDED, TOTALS, FIGURES), MERCHANT_ID)

    assert payment == StatementLine(
        line=2,
        kind=StatementKind.PAYMENT,
        reference="A1",
        provider_reference="4200001",
        amount=yuan(1999),
        fee=yuan(12),
        happened_at=datetime(2026, 11, 11, 10, 20, 30, tzinfo=BEIJING),
    )
    assert refund == StatementLine(
        line=3,
        kind=StatementKind.REFUND,
        reference="R1",
        provider_reference="5030001",
        amount=yuan(-300),
        fee=yuan(-2),
        happened_at=datetime(2026, 11, 11, 23, 59, 59, tzinfo=BEIJING),
    )


def test_a_bill_may_come_compressed_and_with_columns_in_another_order() -> None:
    def turn(line: str, separator: str) -> str:
        first, rest = line.split(separator, 1)
        mark = "`" if separator == ",`" else ""
        return mark + rest + separator + first.removeprefix(mark)

    lines = [turn(HEAD, ","), turn(PAID, ",`"), turn(REFUNDED, ",`"), TOTALS, FIGURES]
    assert read_bill(gzip.compress(bill(*lines)), MERCHANT_ID) == read_bill(
        bill(HEAD, PAID, REFUNDED, TOTALS, FIGURES), MERCHANT_ID
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no column"),
        (b"\xff\xfe", "not UTF-8"),
        (b"\x1f\x8b123", "damaged"),
        (gzip.compress(bill(HEAD, TOTALS))[:-9], "cut off"),
        (bill(HEAD.replace("商户订单号", "订单号"), PAID, TOTALS, FIGURES), "no column 商户订单号"),
        (bill(HEAD, PAID, REFUNDED), "totals"),
        (bill(HEAD, PAID, REFUNDED, TOTALS), "totals"),
        (bill(HEAD, PAID, REFUNDED, TOTALS, FIGURES, PAID), "totals"),
        (bill(HEAD, PAID, TOTALS, FIGURES), "counts 2 lines and has 1"),
        (bill(HEAD, PAID, REFUNDED, TOTALS, FIGURES.replace("19.99", "19.98")), "订单总金额 is 19.98"),
        (bill(HEAD, PAID, REFUNDED, TOTALS, FIGURES.replace("0.10", "0.11")), "手续费总金额"),
        (
            bill(HEAD, PAID.replace("19.99", "many"), REFUNDED, TOTALS, FIGURES),
            "Line 2: 订单金额 is no amount",
        ),
        (
            bill(HEAD, PAID.replace("19.99", "NaN"), REFUNDED, TOTALS, FIGURES),
            "Line 2: 订单金额 is no amount",
        ),
        (bill(HEAD, PAID.replace("1900000109", "1900000110"), REFUNDED, TOTALS, FIGURES), "another merchant"),
        (bill(HEAD, PAID.replace("CNY", "USD"), REFUNDED, TOTALS, FIGURES), "not in CNY"),
        (bill(HEAD, PAID.replace("SUCCESS", "SOMETHING"), REFUNDED, TOTALS, FIGURES), "unknown status"),
        (bill(HEAD, PAID.replace("2026-11-11", "11.11."), REFUNDED, TOTALS, FIGURES), "Line 2 has no time"),
        (bill(HEAD, PAID + ",`", REFUNDED, TOTALS, FIGURES), "28 values for 27 columns"),
    ],
)
def test_a_file_that_is_no_bill_or_does_not_add_up_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(StatementUnreadable, match=reason):
        read_bill(content, MERCHANT_ID)


def test_a_day_without_payments_has_an_empty_bill() -> None:
    assert read_bill(EMPTY_BILL, MERCHANT_ID) == []


async def test_the_bill_of_a_day_is_fetched_and_has_what_was_paid_and_refunded(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)
    refund = refund_of(attempt, 500)
    await provider.refund(refund)
    today = datetime.now(UTC).astimezone(BEIJING).date()

    statement = provider.read_statement(await provider.fetch_statement(today))

    lines = {line.reference: line for line in statement.lines}
    assert lines[attempt.reference].amount == yuan(1999)
    assert lines[attempt.reference].fee == yuan(12)
    assert (lines[refund.reference].amount, lines[refund.reference].fee) == (yuan(-500), yuan(-3))
    assert statement.method is provider.method


async def test_a_day_without_payments_is_fetched_as_an_empty_bill(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    day = datetime(2020, 1, 1, tzinfo=UTC).date()
    assert provider.read_statement(await provider.fetch_statement(day)).lines == []


@pytest.mark.parametrize("fault", ["nonsense", "server_error", "drop"])
async def test_a_bill_with_another_hash_than_announced_is_not_used(
    server: WeChatPayServer, provider: WeChatPay, fault: str
) -> None:
    await paid_attempt(server, provider)
    today = datetime.now(UTC).astimezone(BEIJING).date()
    await server.ask("faults", fault=fault, path="/v3/billdownload")

    with pytest.raises(ProviderError):
        await provider.fetch_statement(today)
