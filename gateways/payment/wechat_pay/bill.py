"""The trade bill of a day: UTF-8, columns between commas, a backtick before each value, totals at the end."""

import hashlib
import hmac
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from http import HTTPStatus
from urllib.parse import urlencode

from gateways.payment.provider import ProviderError, StatementUnreadable
from gateways.payment.wechat_pay.api import ApiRefused, WeChatPayApi
from gateways.payment.wechat_pay.content import BillAddress
from models import CurrencyCode, Money, StatementKind, StatementLine

BILL_PATH = "/v3/bill/tradebill"
BILL_LIMIT_BYTES = 200_000_000
"""Of the file as it is read, a million payments or so."""
BEIJING = timezone(timedelta(hours=8))
CNY = CurrencyCode.CNY
GZIP_MAGIC = b"\x1f\x8b"
GZIP_BITS = 16 + zlib.MAX_WBITS

COUNT_COLUMN = "总交易单数"
TOTALS: Mapping[str, str] = {
    "应结订单总金额": "应结订单金额",
    "退款总金额": "退款金额",
    "充值券退款总金额": "充值券退款金额",
    "手续费总金额": "手续费",
    "订单总金额": "订单金额",
    "申请退款总金额": "申请退款金额",
}
"""The column of the totals, and the column it adds up."""

READ_COLUMNS = (
    "交易时间",
    "商户号",
    "微信订单号",
    "商户订单号",
    "交易状态",
    "货币种类",
    "微信退款单号",
    "商户退款单号",
)

EMPTY_BILL = "\r\n".join(
    (
        ",".join((*READ_COLUMNS, *TOTALS.values())),
        ",".join((COUNT_COLUMN, *TOTALS)),
        ",".join(["`0"] + ["`0.00"] * len(TOTALS)),
        "",
    )
).encode()
"""WeChat Pay makes no file for a day without payments; this is what one would say."""

KINDS = {"SUCCESS": StatementKind.PAYMENT, "REFUND": StatementKind.REFUND, "REVOKED": StatementKind.REFUND}


async def fetch_bill(api: WeChatPayApi, day: date) -> bytes:
    """The bill of a day in Beijing; ProviderError until it is there, about ten o'clock on the next day."""
    query = {"bill_date": day.isoformat(), "bill_type": "ALL", "tar_type": "GZIP"}
    try:
        address = await api.get(f"{BILL_PATH}?{urlencode(query)}", BillAddress)
    except ApiRefused as refused:
        if refused.code != "NO_STATEMENT_EXIST":
            raise
        return EMPTY_BILL
    target = address.download_url.removeprefix(api.url)
    if address.hash_type != "SHA1" or not target.startswith("/") or target == address.download_url:
        raise ProviderError("the bill is somewhere else, or without a hash")
    response = await api.send("GET", target, b"", BILL_LIMIT_BYTES)
    if response.status_code != HTTPStatus.OK:
        raise ProviderError(f"no bill: HTTP {response.status_code}")
    # The file itself is not signed: its hash is, with the answer before.
    try:
        content = unpack(response.content)
    except StatementUnreadable as error:
        raise ProviderError(str(error)) from None
    found = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(found.encode(), address.hash_value.lower().encode()):
        raise ProviderError("the bill has another hash than announced")
    return content


def read_bill(content: bytes, merchant_id: str) -> Sequence[StatementLine]:
    """The lines of a bill; StatementUnreadable unless it is this merchant's, and its totals fit."""
    try:
        lines = unpack(content).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise StatementUnreadable("The file is not UTF-8.") from None
    head = split_names(lines[0]) if lines else []
    if missing := [name for name in (*READ_COLUMNS, *TOTALS.values()) if name not in head]:
        raise StatementUnreadable(f"The file has no column {missing[0]}.")
    end = next((at for at, line in enumerate(lines) if line.startswith(COUNT_COLUMN)), None)
    if end is None or len(lines) <= end + 1 or any(line.strip() for line in lines[end + 2 :]):
        raise StatementUnreadable("The file does not end with one line of totals.")
    rows = [read_row(head, line, at) for at, line in enumerate(lines[1:end], start=2)]
    check_totals(rows, read_row(split_names(lines[end]), lines[end + 1], end + 2))
    return [read_line(row, merchant_id) for row in rows]


@dataclass(frozen=True, slots=True)
class BillRow:
    """A line of the file by the names of its columns."""

    line: int
    cells: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.cells.get(name, "")

    def amount(self, name: str) -> Decimal:
        """Yuan; StatementUnreadable where it is no number."""
        try:
            value = Decimal(self.text(name) or "0")
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            raise StatementUnreadable(f"Line {self.line}: {name} is no amount.")
        return value


def read_row(head: Sequence[str], line: str, number: int) -> BillRow:
    """A value may contain commas, but none is followed by a backtick."""
    cells = [cell.strip() for cell in line.removeprefix("`").split(",`")]
    if not line.startswith("`") or len(cells) != len(head):
        raise StatementUnreadable(f"Line {number} has {len(cells)} values for {len(head)} columns.")
    return BillRow(number, dict(zip(head, cells, strict=True)))


def split_names(line: str) -> list[str]:
    return [name.strip().removeprefix("`") for name in line.split(",")]


def check_totals(rows: Sequence[BillRow], totals: BillRow) -> None:
    if totals.amount(COUNT_COLUMN) != len(rows):
        raise StatementUnreadable(f"The file counts {totals.text(COUNT_COLUMN)} lines and has {len(rows)}.")
    for total, column in TOTALS.items():
        if total not in totals.cells:
            raise StatementUnreadable(f"The totals have no column {total}.")
        found = sum((row.amount(column) for row in rows), Decimal())
        if found != totals.amount(total):
            raise StatementUnreadable(f"{total} is {totals.text(total)}, the lines add up to {found}.")


def read_line(row: BillRow, merchant_id: str) -> StatementLine:
    if row.text("商户号") != merchant_id:
        raise StatementUnreadable(f"Line {row.line} is of another merchant.")
    if row.text("货币种类") != CNY.value:
        raise StatementUnreadable(f"Line {row.line} is not in CNY.")
    kind = KINDS.get(row.text("交易状态"))
    if kind is None:
        raise StatementUnreadable(f"Line {row.line} has an unknown status.")
    is_refund = kind is StatementKind.REFUND
    amount = -row.amount("申请退款金额") if is_refund else row.amount("订单金额")
    return StatementLine(
        line=row.line,
        kind=kind,
        reference=row.text("商户退款单号" if is_refund else "商户订单号") or None,
        provider_reference=row.text("微信退款单号" if is_refund else "微信订单号") or None,
        amount=to_money(amount),
        fee=to_money(row.amount("手续费")),
        happened_at=read_time(row),
    )


def read_time(row: BillRow) -> datetime:
    try:
        moment = datetime.strptime(row.text("交易时间"), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - Beijing, next line
    except ValueError:
        raise StatementUnreadable(f"Line {row.line} has no time.") from None
    return moment.replace(tzinfo=BEIJING)


def to_money(amount: Decimal) -> Money:
    """Fees have five decimals; the rest of a fen is rounded half up, as WeChat Pay does."""
    return Money.of(amount.quantize(Decimal("0.01"), ROUND_HALF_UP), CNY)


def unpack(content: bytes) -> bytes:
    """The content of a gzip file; any other file as it is. StatementUnreadable beyond the limit."""
    if not content.startswith(GZIP_MAGIC):
        return content
    unpacker = zlib.decompressobj(wbits=GZIP_BITS)
    try:
        unpacked = unpacker.decompress(content, BILL_LIMIT_BYTES)
    except zlib.error:
        raise StatementUnreadable("The gzip file is damaged.") from None
    if not unpacker.eof:
        raise StatementUnreadable("The gzip file is cut off or too large.")
    return unpacked
