"""The trade bill of a day."""

import gzip
import hashlib
import secrets
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from starlette.requests import Request

from bench.provider_servers.wechat_pay.book import Order, Refund
from bench.provider_servers.wechat_pay.keys import MERCHANT_ID
from bench.provider_servers.wechat_pay.problems import Refusal
from bench.provider_servers.wechat_pay.state import ServerState

HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FEE_RATE = Decimal("0.006")


def announce_bill(
    state: ServerState, request: Request, content: Mapping[str, object]
) -> Mapping[str, object]:
    try:
        day = date.fromisoformat(request.query_params["bill_date"])
    except (KeyError, ValueError):
        raise Refusal(400, "PARAM_ERROR", "bill_date is wrong") from None
    if day > state.now().date():
        raise Refusal(400, "INVALID_REQUEST", "the day is not over")
    file = write_bill(state, day)
    if file is None:
        raise Refusal(400, "NO_STATEMENT_EXIST", "nothing was traded")
    token = secrets.token_hex(8)
    state.bills[token] = gzip.compress(file) if request.query_params.get("tar_type") == "GZIP" else file
    return {
        "hash_type": "SHA1",
        "hash_value": hashlib.sha1(file, usedforsecurity=False).hexdigest(),
        "download_url": f"{state.url}/v3/billdownload/file?token={token}",
    }


def download_bill(state: ServerState, request: Request, content: Mapping[str, object]) -> bytes:
    file = state.bills.get(request.query_params.get("token", ""))
    if file is None:
        raise Refusal(404, "NOT_FOUND", "no such bill")
    return file


def write_bill(state: ServerState, day: date) -> bytes | None:
    """The file of a day; None where there is nothing in it."""
    rows = [row_of(order, None) for order in state.book.orders.values() if order.paid_at[:10] == str(day)]
    rows += [
        row_of(state.book.orders[refund.order], refund)
        for refund in state.book.refunds.values()
        if refund.created_at[:10] == str(day)
    ]
    if not rows:
        return None
    sums = [sum((Decimal(row[at]) for row in rows), Decimal()) for at in (12, 16, 17, 22, 24, 25)]
    figures = [str(len(rows)), *(f"{each:.5f}" if at == 3 else f"{each:.2f}" for at, each in enumerate(sums))]
    lines = [HEAD, *map(join, rows), TOTALS, join(figures)]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def row_of(order: Order, refund: Refund | None) -> list[str]:
    total = Decimal(order.total) / 100
    back = Decimal(refund.amount) / 100 if refund else Decimal()
    fee = ((-back if refund else total) * FEE_RATE).quantize(Decimal("0.01"))
    when = refund.created_at if refund else order.paid_at
    return [
        when[:19].replace("T", " "), order.app_id, MERCHANT_ID, "0", "", order.transaction_id,
        order.reference, order.openid, order.channel, "REFUND" if refund else "SUCCESS", "OTHERS", "CNY",
        "0.00" if refund else f"{total:.2f}", "0.00",
        refund.refund_id if refund else "0", refund.reference if refund else "0", f"{back:.2f}", "0.00",
        "ORIGINAL" if refund else "", refund.status if refund else "", order.description, "", f"{fee:.5f}",
        "0.60%", "0.00" if refund else f"{total:.2f}", f"{back:.2f}", "",
    ]  # fmt: skip


def join(cells: list[str]) -> str:
    return ",".join(f"`{cell}" for cell in cells)
