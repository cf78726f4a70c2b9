"""Tables of the ledger: balanced postings and their entries."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.money import CurrencyCode


class LedgerAccount(StrEnum):
    """An account of the ledger; each order has a balance in each of them."""

    CUSTOMER = "CUSTOMER"
    PROVIDER = "PROVIDER"
    CASH = "CASH"
    BANK = "BANK"
    SALES = "SALES"
    WRITE_OFF = "WRITE_OFF"
    STORE_CREDIT = "STORE_CREDIT"
    """What customers have with the shop: a debt of it."""
    GIFT_CARDS = "GIFT_CARDS"
    """Gift cards that were issued and not redeemed: a debt, too."""
    GIFTS = "GIFTS"
    """What gift cards cost that the shop gave away."""
    FORFEITED = "FORFEITED"
    """What customers gave up or let expire."""
    BONUSES = "BONUSES"
    """What it cost to add something to refunds that go into store credit."""
    TILL = "TILL"
    """Cash that couriers have handed in."""
    CASH_DIFFERENCES = "CASH_DIFFERENCES"
    """What was missing, or too much, when cash was counted."""
    FEES = "FEES"
    DISPUTED = "DISPUTED"


class PostingKind(StrEnum):
    """Why an amount was posted from one ledger account to another."""

    INVOICED = "INVOICED"
    CAPTURED = "CAPTURED"
    CASH_COLLECTED = "CASH_COLLECTED"
    CREDITED = "CREDITED"
    REFUNDED = "REFUNDED"
    REFUND_RETURNED = "REFUND_RETURNED"
    WRITTEN_OFF = "WRITTEN_OFF"
    CREDIT_SPENT = "CREDIT_SPENT"
    CREDIT_FORFEITED = "CREDIT_FORFEITED"
    BONUS_GRANTED = "BONUS_GRANTED"
    BONUS_REVOKED = "BONUS_REVOKED"
    GIFT_CARD_ISSUED = "GIFT_CARD_ISSUED"
    GIFT_CARD_REDEEMED = "GIFT_CARD_REDEEMED"
    GIFT_CARD_VOIDED = "GIFT_CARD_VOIDED"
    GIFT_CARD_EXPIRED = "GIFT_CARD_EXPIRED"
    CASH_HANDED_IN = "CASH_HANDED_IN"
    CASH_SHORT = "CASH_SHORT"
    CASH_OVER = "CASH_OVER"
    CASH_GIVEN_BACK = "CASH_GIVEN_BACK"
    """A count was too high and has been corrected."""
    FEE_CHARGED = "FEE_CHARGED"
    FEE_RETURNED = "FEE_RETURNED"
    DISPUTE_OPENED = "DISPUTE_OPENED"
    DISPUTE_WON = "DISPUTE_WON"
    DISPUTE_LOST = "DISPUTE_LOST"


class Posting(Base):
    """A balanced posting in the ledger; its unique key keeps a repeated message from posting twice."""

    __tablename__ = "postings"

    id: Mapped[Id]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    """None for what concerns no order, such as a gift card."""
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    kind: Mapped[PostingKind]
    key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class LedgerEntry(Base):
    """One side of a posting, in minor units: positive is debit, negative is credit."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ix_ledger_entries_order_id_account", "order_id", "account"),)

    id: Mapped[Id]
    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    account: Mapped[LedgerAccount]
    currency: Mapped[CurrencyCode]
    amount: Mapped[int] = mapped_column(BigInteger)
