"""The book of Alipay's server: what was asked for, trades and their refunds, kept in a file of lines."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
MOMENT = "%Y-%m-%d %H:%M:%S"
FEE_RATE = Decimal("0.006")


def beijing_now() -> str:
    return datetime.now(BEIJING).strftime(MOMENT)


@dataclass
class Refund:
    amount: str
    at: str


@dataclass
class Trade:
    """A trade, which comes to be when a customer opens what the shop has signed."""

    out_trade_no: str
    trade_no: str
    total_amount: str
    subject: str
    time_expire: str
    notify_url: str
    status: str = "WAIT_BUYER_PAY"
    created_at: str = field(default_factory=beijing_now)
    paid_at: str = ""
    closed_at: str = ""
    refunds: dict[str, Refund] = field(default_factory=dict)

    @property
    def refunded(self) -> Decimal:
        return sum((Decimal(refund.amount) for refund in self.refunds.values()), start=Decimal("0.00"))

    @property
    def fee(self) -> Decimal:
        return (Decimal(self.total_amount) * FEE_RATE).quantize(Decimal("0.01"))

    def close_if_expired(self) -> bool:
        if self.status != "WAIT_BUYER_PAY" or beijing_now() < self.time_expire:
            return False
        self.status, self.closed_at = "TRADE_CLOSED", self.time_expire
        return True


@dataclass
class Code:
    """What precreate was asked for; no trade before somebody scans it."""

    qr_code: str
    content: dict[str, str]
    notify_url: str
    ends_at: str


class Book:
    """Trades by the shop's number and codes by theirs; each change is a line of the file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.trades: dict[str, Trade] = {}
        self.codes: dict[str, Code] = {}
        if file.exists():
            for line in file.read_text("utf-8").splitlines():
                self._read(json.loads(line))

    def open_trade(self, content: dict[str, str], notify_url: str) -> Trade | None:
        """The trade of a signed request, new where it is the first time; None where it may not be paid."""
        trade = self.find(content["out_trade_no"])
        if trade is None:
            if content["time_expire"] <= beijing_now():
                return None
            number = f"{datetime.now(BEIJING):%Y%m%d}22001{len(self.trades):015}"
            trade = Trade(
                content["out_trade_no"],
                number,
                content["total_amount"],
                content["subject"],
                content["time_expire"],
                notify_url,
            )
            self.trades[trade.out_trade_no] = trade
            self.keep(trade)
        return trade if trade.total_amount == content["total_amount"] else None

    def find(self, out_trade_no: str) -> Trade | None:
        trade = self.trades.get(out_trade_no)
        if trade and trade.close_if_expired():
            self.keep(trade)
        return trade

    def pay(self, trade: Trade) -> bool:
        """The customer pays; False where the trade is not open any more."""
        if trade.status != "WAIT_BUYER_PAY":
            return False
        trade.status, trade.paid_at = "TRADE_SUCCESS", beijing_now()
        self.keep(trade)
        return True

    def add_code(self, content: dict[str, str], notify_url: str) -> Code:
        """The code of a trade; asked for again, it is the same one."""
        code = self.codes.get(f"https://qr.alipay.com/{content['out_trade_no']}")
        if code is None:
            minutes = int(content.get("qr_code_timeout_express", "120m").removesuffix("m"))
            ends_at = (datetime.now(BEIJING) + timedelta(minutes=minutes)).strftime(MOMENT)
            code = Code(f"https://qr.alipay.com/{content['out_trade_no']}", content, notify_url, ends_at)
            self.codes[code.qr_code] = code
            self._write({"code": asdict(code)})
        return code

    def keep(self, trade: Trade) -> None:
        self._write({"trade": asdict(trade)})

    def dump(self) -> dict[str, object]:
        """What the shop's own book is compared with; amounts in yuan."""
        for number in list(self.trades):
            self.find(number)
        return {
            "payments": {
                trade.out_trade_no: {
                    "status": trade.status,
                    "captured": trade.total_amount if trade.paid_at else "0.00",
                    "refunded": str(trade.refunded),
                    "provider_reference": trade.trade_no,
                }
                for trade in self.trades.values()
            },
            "refunds": {
                number: {"payment": trade.out_trade_no, "amount": refund.amount}
                for trade in self.trades.values()
                for number, refund in trade.refunds.items()
            },
        }

    def _write(self, entry: dict[str, object]) -> None:
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _read(self, entry: dict[str, dict[str, object]]) -> None:
        if "code" in entry:
            code = Code(**entry["code"])  # type: ignore[arg-type]
            self.codes[code.qr_code] = code
            return
        refunds = entry["trade"].pop("refunds")
        trade = Trade(**entry["trade"])  # type: ignore[arg-type]
        assert isinstance(refunds, dict)
        trade.refunds = {number: Refund(**refund) for number, refund in refunds.items()}
        self.trades[trade.out_trade_no] = trade


def describe_trade(trade: Trade, refund: str) -> dict[str, str]:
    """What a notice says of a trade, and of a refund where it has a number."""
    described = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "trade_status": trade.status,
        "total_amount": trade.total_amount,
        "receipt_amount": trade.total_amount,
        "buyer_logon_id": "mei***@example.com",
        "subject": trade.subject,
        "gmt_create": trade.created_at,
        "fund_bill_list": f'[{{"amount":"{trade.total_amount}","fundChannel":"ALIPAYACCOUNT"}}]',
    }
    if trade.paid_at:
        described["gmt_payment"] = trade.paid_at
    if trade.closed_at:
        described["gmt_close"] = trade.closed_at
    if refund:
        described |= {
            "out_biz_no": refund,
            "refund_fee": f"{trade.refunded:.2f}",
            "gmt_refund": f"{trade.refunds[refund].at}.123",
        }
    return described
