"""What the parts of the server share: keys, book, clock, and the faults that were asked for."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from bench.provider_servers.wechat_pay.book import Book, Order, Refund
from bench.provider_servers.wechat_pay.keys import MERCHANT_ID, ServerKeys

BEIJING = timezone(timedelta(hours=8))


@dataclass(slots=True)
class Fault:
    fault: str
    path: str
    times: int
    seconds: float = 0.0


@dataclass(slots=True)
class ServerState:
    keys: ServerKeys
    book: Book
    url: str
    offset: timedelta = timedelta()
    refund_status: str = "PROCESSING"
    notices_by_public_key: bool = True
    faults: list[Fault] = field(default_factory=list)
    notice_faults: list[Fault] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    bills: dict[str, bytes] = field(default_factory=dict)
    calls: "Counter[str]" = field(default_factory=Counter)

    def now(self) -> datetime:
        return datetime.now(BEIJING) + self.offset

    def next_fault(self, path: str) -> Fault | None:
        return take_fault(self.faults, path)

    def sign(self, body: bytes, *, by_public_key: bool, age: timedelta = timedelta()) -> dict[str, str]:
        """The headers of a signed answer or notice."""
        timestamp, nonce = str(int((self.now() - age).timestamp())), secrets.token_hex(16)
        signed = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        serial, signature = self.keys.sign(signed, by_public_key=by_public_key)
        return {
            "Wechatpay-Serial": serial,
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }


def take_fault(faults: list[Fault], path: str) -> Fault | None:
    """The first fault for the path, counted down."""
    for fault in faults:
        if fault.path in path:
            fault.times -= 1
            if fault.times == 0:
                faults.remove(fault)
            return fault
    return None


def describe_order(order: Order) -> dict[str, object]:
    """An order as a query answers and a notice tells."""
    content: dict[str, object] = {
        "appid": order.app_id,
        "mchid": MERCHANT_ID,
        "out_trade_no": order.reference,
        "trade_state": order.state,
        "trade_state_desc": order.state,
        "amount": {"total": order.total, "currency": "CNY"},
    }
    if order.transaction_id:
        content |= {
            "transaction_id": order.transaction_id,
            "trade_type": order.channel,
            "bank_type": "OTHERS",
            "attach": "",
            "success_time": order.paid_at,
            "payer": {"openid": order.openid},
            "amount": {
                "total": order.total,
                "payer_total": order.total,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }
    return content


def describe_refund(refund: Refund, order: Order, *, status_name: str) -> dict[str, object]:
    content: dict[str, object] = {
        "refund_id": refund.refund_id,
        "out_refund_no": refund.reference,
        "transaction_id": order.transaction_id,
        "out_trade_no": refund.order,
        "user_received_account": "支付用户零钱",
        status_name: refund.status,
    }
    if refund.settled_at:
        content["success_time"] = refund.settled_at
    amounts: Mapping[str, object] = {
        "total": refund.total,
        "refund": refund.amount,
        "payer_total": refund.total,
        "payer_refund": refund.amount,
    }
    if status_name == "refund_status":
        return content | {"mchid": MERCHANT_ID, "amount": dict(amounts)}
    more = {
        "currency": "CNY",
        "discount_refund": 0,
        "settlement_refund": refund.amount,
        "settlement_total": refund.total,
        "from": [],
    }
    return content | {"channel": "ORIGINAL", "create_time": refund.created_at, "amount": {**amounts, **more}}


def new_id(prefix: str, length: int) -> str:
    return prefix + "".join(secrets.choice("0123456789") for _ in range(length - len(prefix)))
