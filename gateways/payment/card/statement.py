"""Stripe's balance report: what has moved the balance, one line each, as CSV with amounts in major units.

The columns are those of the report `balance_change_from_activity.itemized`; they are read by name, since the
order and the further ones are chosen by who asks for it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from gateways.payment.card.amounts import digits_at_stripe
from gateways.payment.card.objects import REFERENCE, BalanceTransaction, Source
from gateways.payment.card.reports import moment_of
from gateways.payment.provider import Statement, StatementUnreadable
from models import CurrencyCode, Money, PaymentMethod, StatementForm, StatementKind, StatementLine

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
PAYMENT_REFERENCE = f"payment_metadata[{REFERENCE}]"
REFUND_REFERENCE = f"refund_metadata[{REFERENCE}]"

NEEDED_COLUMNS = (
    "balance_transaction_id",
    "created_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "payment_intent_id",
)
COLUMNS = (
    *NEEDED_COLUMNS,
    "customer_facing_amount",
    "customer_facing_currency",
    "charge_id",
    PAYMENT_REFERENCE,
    REFUND_REFERENCE,
)

KINDS: Mapping[str, StatementKind] = {
    "charge": StatementKind.PAYMENT,
    "charge_failure": StatementKind.PAYMENT,
    "partial_capture_reversal": StatementKind.PAYMENT,
    "refund": StatementKind.REFUND,
    "refund_failure": StatementKind.REFUND,
    "dispute": StatementKind.DISPUTE,
    "dispute_reversal": StatementKind.DISPUTE,
    "fee": StatementKind.FEE,
    "network_cost": StatementKind.FEE,
    "tax": StatementKind.FEE,
}
"""By reporting category (https://docs.stripe.com/reports/reporting-categories)."""

NOT_OF_PAYMENTS = frozenset({
    "advance", "advance_funding", "anticipation_repayment", "connect_collection_transfer",
    "connect_reserved_funds", "contribution", "issuing_authorization_hold",
    "issuing_authorization_release", "issuing_dispute", "issuing_transaction", "other_adjustment", "payout",
    "payout_reversal", "platform_earning", "platform_earning_refund", "risk_reserved_funds", "topup",
    "topup_reversal", "transfer", "transfer_reversal",
})  # fmt: skip
"""Categories that are no business of single payments; one that is in neither table is refused."""

Row = Mapping[str, str]


def read_statement(content: bytes) -> Statement:
    """The lines of a balance report; StatementUnreadable unless each adds up and stands there once."""
    lines: list[StatementLine] = []
    seen: set[str] = set()
    for row, number in read_rows(content):
        if (name := row["balance_transaction_id"]) in seen or not name:
            raise StatementUnreadable(f"line {number} stands there twice, or has no name")
        seen.add(name)
        try:
            lines.append(read_line(row, number))
        except (ValueError, InvalidOperation):
            raise StatementUnreadable(f"line {number} has an amount, currency or time that is none") from None
    return Statement(PaymentMethod.CARD, lines, StatementForm.MONEY, UTC)


def read_rows(content: bytes) -> Iterator[tuple[Row, int]]:
    """Each row by the names of its columns, with its number in the file; the names are line 1."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        names = reader.fieldnames or ()
        if missing := [name for name in NEEDED_COLUMNS if name not in names]:
            raise StatementUnreadable(f"no balance report: the columns {', '.join(missing)} are missing")
        for row in reader:
            if None in row or None in row.values():
                raise StatementUnreadable(f"line {reader.line_num} has more or fewer cells than columns")
            yield row, reader.line_num
    except UnicodeDecodeError:
        raise StatementUnreadable("not in UTF-8") from None
    except csv.Error:
        raise StatementUnreadable("not a CSV file") from None


def read_line(row: Row, number: int) -> StatementLine:
    currency = CurrencyCode(row["currency"].upper())
    gross, fee, net = (Money.of(Decimal(row[name]), currency) for name in ("gross", "fee", "net"))
    if gross - fee != net:
        raise StatementUnreadable(f"line {number} does not add up: {gross} less {fee} is not {net}")
    category = row["reporting_category"]
    if category not in KINDS and category not in NOT_OF_PAYMENTS:
        raise StatementUnreadable(f"line {number} is of an unknown category: {category[:40]}")
    kind = KINDS.get(category, StatementKind.OTHER)
    by_intent = kind is StatementKind.PAYMENT
    return StatementLine(
        line=number,
        kind=kind,
        reference=reference_of(row, kind) or None,
        provider_reference=row["payment_intent_id" if by_intent else "source_id"] or None,
        amount=customer_amount(row, gross),
        fee=fee,
        happened_at=datetime.strptime(row["created_utc"], TIME_FORMAT).replace(tzinfo=UTC),
    )


def reference_of(row: Row, kind: StatementKind) -> str:
    match kind:
        case StatementKind.PAYMENT | StatementKind.DISPUTE:
            return row.get(PAYMENT_REFERENCE, "")
        case StatementKind.REFUND:
            return row.get(REFUND_REFERENCE, "")
        case _:
            return ""


def customer_amount(row: Row, gross: Money) -> Money:
    """What the customer paid or got, where the account is kept in another currency; `gross` elsewhere."""
    amount, currency = row.get("customer_facing_amount", ""), row.get("customer_facing_currency", "")
    if not amount or not currency or currency.upper() == gross.currency:
        return gross
    paid = Money.of(abs(Decimal(amount)), CurrencyCode(currency.upper()))
    return -paid if gross.minor < 0 else paid


def write_statement(booked: Iterable[BalanceTransaction]) -> bytes:
    """The balance report of these movements."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(describe_booked(each) for each in booked)
    return text.getvalue().encode()


def describe_booked(booked: BalanceTransaction) -> dict[str, str]:
    source = booked.source if isinstance(booked.source, Source) else None
    source_id = source.id if source else str(booked.source or "")
    row = {
        "balance_transaction_id": booked.id,
        "created_utc": moment_of(booked.created).strftime(TIME_FORMAT),
        "currency": booked.currency,
        "gross": major_units(booked.amount, booked.currency),
        "fee": major_units(booked.fee, booked.currency),
        "net": major_units(booked.net, booked.currency),
        "reporting_category": booked.reporting_category,
        "source_id": source_id,
    }
    return row | (describe_source(booked, source) if source else {})


def describe_source(booked: BalanceTransaction, source: Source) -> dict[str, str]:
    """The cells about the charge, refund or dispute behind a movement."""
    is_charge = KINDS.get(booked.reporting_category) is StatementKind.PAYMENT
    row = {
        "payment_intent_id": source.payment_intent or "",
        "charge_id": source.id if is_charge else source.charge or "",
        PAYMENT_REFERENCE if is_charge else REFUND_REFERENCE: source.reference or "",
    }
    if source.amount is not None and source.currency:
        sign = -1 if booked.amount < 0 else 1
        row["customer_facing_amount"] = major_units(sign * abs(source.amount), source.currency)
        row["customer_facing_currency"] = source.currency
    return row


def major_units(amount: int, currency: str) -> str:
    return str(Decimal(amount).scaleb(-digits_at_stripe(currency.upper())))
