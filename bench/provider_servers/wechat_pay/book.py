"""What the server knows: orders, refunds and notices, in a file of SQLite so that a killed server goes on."""

import json
import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(slots=True)
class Order:
    reference: str
    request: str
    """What it was started with: the same number with other words is refused."""
    channel: str
    app_id: str
    total: int
    notify_url: str
    expires_at: str
    description: str
    prepay_id: str
    openid: str
    state: str = "NOTPAY"
    transaction_id: str = ""
    paid_at: str = ""

    def expire(self, now: datetime) -> None:
        if self.state == "NOTPAY" and datetime.fromisoformat(self.expires_at) <= now:
            self.state = "CLOSED"


@dataclass(slots=True)
class Refund:
    reference: str
    order: str
    amount: int
    total: int
    refund_id: str
    notify_url: str
    created_at: str
    status: str = "PROCESSING"
    settled_at: str = ""


@dataclass(slots=True)
class SentNotice:
    reference: str
    """Its id, the same each time it is sent."""
    url: str
    body: str
    tries: int = 0
    due_at: float = 0.0
    done: bool = False
    last_status: int = 0


@dataclass(slots=True)
class Book:
    connection: sqlite3.Connection
    orders: dict[str, Order] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    notices: dict[str, SentNotice] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> "Book":
        connection = sqlite3.connect(folder / "book.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS entries (kind TEXT, id TEXT, content TEXT, PRIMARY KEY (kind, id))"
        )
        book = cls(connection)
        for kind, text in connection.execute("SELECT kind, content FROM entries ORDER BY rowid"):
            content = json.loads(text)
            if kind == "Order":
                book.orders[content["reference"]] = Order(**content)
            elif kind == "Refund":
                book.refunds[content["reference"]] = Refund(**content)
            else:
                book.notices[content["reference"]] = SentNotice(**content)
        return book

    def save(self, entry: Order | Refund | SentNotice) -> None:
        """Keep an entry, before anybody is told of it."""
        if isinstance(entry, Order):
            self.orders[entry.reference] = entry
        elif isinstance(entry, Refund):
            self.refunds[entry.reference] = entry
        else:
            self.notices[entry.reference] = entry
        self.connection.execute(
            "INSERT INTO entries VALUES (?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET content = excluded.content",
            (type(entry).__name__, entry.reference, json.dumps(asdict(entry))),
        )

    def refunded(self, order: str) -> int:
        """What of an order was given back, or is on its way."""
        gone = [each for each in self.refunds.values() if each.order == order and each.status != "CLOSED"]
        return sum(each.amount for each in gone)

    def dump(self) -> dict[str, object]:
        return {
            "payments": [asdict(order) for order in self.orders.values()],
            "refunds": [asdict(refund) for refund in self.refunds.values()],
            "notices": [asdict(notice) for notice in self.notices.values()],
        }
