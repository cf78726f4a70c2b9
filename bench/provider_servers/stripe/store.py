"""Keeps what the server knows in a file of SQLite, so that a server that is killed goes on where it was."""

import pickle
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.provider_servers.stripe.book import Book, Dispute, Intent, Movement, Notice, Refund
from bench.provider_servers.stripe.idempotency import KeptAnswer, KeptAnswers


@dataclass(slots=True)
class IntentEntry:
    """An intent with all that belongs to it: what refers to each other is kept together."""

    intent: Intent
    refunds: list[Refund]
    disputes: list[Dispute]
    movements: list[Movement]


@dataclass(slots=True)
class Store:
    connection: sqlite3.Connection

    @classmethod
    def open(cls, folder: Path) -> "Store":
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(folder / "book.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")  # processes are killed here, not machines
        connection.execute(
            "CREATE TABLE IF NOT EXISTS entries (kind TEXT, id TEXT, content BLOB, PRIMARY KEY (kind, id))"
        )
        return cls(connection)

    def keep_text(self, kind: str, default: str) -> str:
        """The text of a kind, which is the default at the first start."""
        self.connection.execute("INSERT OR IGNORE INTO entries VALUES ('text', ?, ?)", (kind, default))
        [found] = self.connection.execute(
            "SELECT content FROM entries WHERE kind = 'text' AND id = ?", (kind,)
        ).fetchone()
        return str(found)

    def load(self, book: Book, kept: KeptAnswers) -> None:
        rows = self.connection.execute(
            "SELECT kind, id, content FROM entries WHERE kind != 'text' ORDER BY rowid"
        )
        for _, name, content in rows:
            entry = pickle.loads(content)  # noqa: S301 - the server has written it
            match entry:
                case IntentEntry():
                    book.intents[name] = entry.intent
                    book.refunds |= {each.id: each for each in entry.refunds}
                    book.disputes |= {each.id: each for each in entry.disputes}
                    book.movements |= {each.id: each for each in entry.movements}
                case Notice():
                    book.notices.append(entry)
                case KeptAnswer():
                    kept.answers[name] = entry

    def keep(self, book: Book, answers: Iterable[tuple[str, KeptAnswer]] = ()) -> None:
        """Keep at once what has changed, notices that wait, and answers by their keys."""
        entries: list[tuple[str, str, object]] = [
            ("intent", name, gather_entry(book, book.intents[name])) for name in book.changed
        ]
        if book.changed:
            entries += [("notice", notice.id, notice) for notice in book.notices]
        entries += [("answer", key, answer) for key, answer in answers]
        book.changed.clear()
        self.connection.execute("BEGIN")
        self.connection.executemany(
            "INSERT INTO entries VALUES (?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET content = excluded.content",
            [(kind, name, pickle.dumps(entry)) for kind, name, entry in entries],
        )
        self.connection.execute("COMMIT")

    def drop_notice(self, notice: Notice) -> None:
        self.connection.execute("DELETE FROM entries WHERE kind = 'notice' AND id = ?", (notice.id,))


def gather_entry(book: Book, intent: Intent) -> IntentEntry:
    return IntentEntry(
        intent,
        [each for each in book.refunds.values() if each.intent is intent],
        [each for each in book.disputes.values() if each.intent is intent],
        [
            each
            for each in book.movements.values()
            if each.source is intent or (not isinstance(each.source, Intent) and each.source.intent is intent)
        ],
    )
