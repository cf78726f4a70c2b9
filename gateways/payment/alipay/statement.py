"""Reads Alipay's statements: trade detail and money detail, in GB18030, as CSV or in a ZIP.

Lines that begin with "#" are comments; the last ones have the totals, which are compared with the lines.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateways.payment.alipay.values import BEIJING, read_moment, read_yuan
from gateways.payment.provider import Statement, StatementUnreadable
from models import CurrencyCode, Money, PaymentMethod, StatementForm, StatementKind, StatementLine

STATEMENT_BYTES_LIMIT = 256_000_000
FILES_LIMIT = 20
NOTHING = Money.zero(CurrencyCode.CNY)

TRADE_COLUMNS = {
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "完成时间",
    "订单金额（元）",
    "商家实收（元）",
    "退款批次号/请求号",
    "服务费（元）",
}
MONEY_COLUMNS = {
    "账务流水号",
    "业务流水号",
    "商户订单号",
    "发生时间",
    "收入金额（+元）",
    "支出金额（-元）",
    "业务类型",
}

ACCOUNT = re.compile(r"^#账号：\[(\d+)\]", re.MULTILINE)
"""The number of the merchant, with that of an account of theirs behind."""

TOTAL = re.compile(r"^#(交易|退款|收入|支出)合计：(\d+)笔，[^\d-]*共(-?[\d.]+)元")
MONEY_KINDS = {
    "在线支付": StatementKind.PAYMENT,
    "交易付款": StatementKind.PAYMENT,
    "退款": StatementKind.REFUND,
    "交易退款": StatementKind.REFUND,
    "退款（交易退款）": StatementKind.REFUND,
    "收费": StatementKind.FEE,
    "服务费": StatementKind.FEE,
    "退费": StatementKind.FEE,
}


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A line of the table, its cells by the names of their columns."""

    line: int
    cells: Mapping[str, str]

    def yuan(self, column: str) -> Money:
        return read_yuan(self.cells[column]) if self.cells[column] else NOTHING


Total = tuple[int, Money]


def read_statement(content: bytes, *, seller_id: str) -> Statement:
    """The lines of a statement; StatementUnreadable where it is none, another's, or its totals do not fit."""
    problem = "no table of trades or of money"
    for text in read_texts(content):
        rows, columns = read_table(text)
        if columns is None:
            continue
        account = ACCOUNT.search(text)
        if account and not account[1].startswith(seller_id):
            raise StatementUnreadable("the statement of another merchant")
        form = StatementForm.TRADES if columns >= TRADE_COLUMNS else StatementForm.MONEY
        is_trades = form is StatementForm.TRADES
        try:
            lines = [read_trade_line(row) if is_trades else read_money_line(row) for row in rows]
            counted = count_trades(rows) if is_trades else count_money(rows)
        except ValueError as error:
            raise StatementUnreadable(f"a cell that cannot be read: {error}") from None
        compare_totals(text, counted)
        return Statement(PaymentMethod.ALIPAY, lines, form, BEIJING)
    raise StatementUnreadable(problem)


def read_texts(content: bytes) -> Iterable[str]:
    """The text of the file, or of each file in a ZIP, whatever their names."""
    if not content.startswith(b"PK"):
        yield decode(content)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > FILES_LIMIT or sum(each.file_size for each in entries) > STATEMENT_BYTES_LIMIT:
                raise StatementUnreadable("a ZIP that is too large")
            for entry in entries:
                if not entry.is_dir():
                    yield decode(archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise StatementUnreadable(f"a ZIP that cannot be read: {type(error).__name__}") from None


def decode(content: bytes) -> str:
    if len(content) > STATEMENT_BYTES_LIMIT:
        raise StatementUnreadable("a file that is too large")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise StatementUnreadable("neither GB18030 nor UTF-8")


def read_table(text: str) -> tuple[Sequence[StatementRow], set[str] | None]:
    """The rows below the header of a known table, and its columns; None where the text has no such table."""
    header: list[str] | None = None
    rows: list[StatementRow] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error:
            raise StatementUnreadable(f"line {number} is no line of a table") from None
        if header is None:
            if not set(cells) >= TRADE_COLUMNS and not set(cells) >= MONEY_COLUMNS:
                return [], None
            header = cells
        elif len(cells) != len(header):
            raise StatementUnreadable(f"line {number} has {len(cells)} cells, not {len(header)}")
        else:
            rows.append(StatementRow(number, dict(zip(header, cells, strict=True))))
    return rows, set(header) if header else None


def read_trade_line(row: StatementRow) -> StatementLine:
    kinds = {"交易": StatementKind.PAYMENT, "退款": StatementKind.REFUND}
    kind = kinds.get(row.cells["业务类型"], StatementKind.OTHER)
    column = "退款批次号/请求号" if kind is StatementKind.REFUND else "商户订单号"
    return StatementLine(
        line=row.line,
        kind=kind,
        reference=row.cells[column] or None,
        provider_reference=row.cells["支付宝交易号"] or None,
        amount=row.yuan("订单金额（元）"),
        # What Alipay keeps is negative in its file.
        fee=-row.yuan("服务费（元）"),
        happened_at=read_moment(row.cells["完成时间"]),
    )


def read_money_line(row: StatementRow) -> StatementLine:
    return StatementLine(
        line=row.line,
        kind=MONEY_KINDS.get(row.cells["业务类型"], StatementKind.OTHER),
        reference=row.cells["商户订单号"] or None,
        provider_reference=row.cells["业务流水号"] or None,
        amount=row.yuan("收入金额（+元）") - magnitude(row.yuan("支出金额（-元）")),
        fee=NOTHING,
        happened_at=read_moment(row.cells["发生时间"]),
    )


def count_trades(rows: Sequence[StatementRow]) -> Mapping[str, Total]:
    """Number and sum of what the shop received and gave back, as the totals of trades count them."""
    return {
        kind: add_up(row.yuan("商家实收（元）") for row in rows if row.cells["业务类型"] == kind)
        for kind in ("交易", "退款")
    }


def count_money(rows: Sequence[StatementRow]) -> Mapping[str, Total]:
    columns = {"收入": "收入金额（+元）", "支出": "支出金额（-元）"}
    return {
        name: add_up(amount for row in rows if (amount := row.yuan(column)))
        for name, column in columns.items()
    }


def compare_totals(text: str, counted: Mapping[str, Total]) -> None:
    """StatementUnreadable unless the file has each total and it is that of its lines."""
    totals: dict[str, Total] = {}
    for line in text.splitlines():
        if found := TOTAL.match(line):
            try:
                totals[found[1]] = int(found[2]), magnitude(read_yuan(found[3]))
            except ValueError:
                raise StatementUnreadable(f"a total that cannot be read: {found[3]}") from None
    for name, (number, amount) in counted.items():
        if name not in totals:
            raise StatementUnreadable(f"the total of {name} is missing: the file is not whole")
        if totals[name] != (number, magnitude(amount)):
            raise StatementUnreadable(f"the lines of {name} are {number} with {amount}, its total differs")


def add_up(amounts: Iterable[Money]) -> Total:
    listed = list(amounts)
    return len(listed), sum(listed, start=NOTHING)


def magnitude(amount: Money) -> Money:
    return max(amount, -amount)
