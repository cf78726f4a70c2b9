"""The balance report of Stripe, as it is downloaded and as it is fetched."""

from datetime import UTC, datetime

import pytest

from gateways.payment.card.statement import read_statement
from gateways.payment.provider import StatementUnreadable
from models import CurrencyCode, Money, PaymentMethod, StatementKind, StatementLine
from tests.gateways.payment.card.desk import CardDesk
from tests.gateways.payment.provider_contract import begin_paid, part_of

HEADER = (
    "created_utc,balance_transaction_id,reporting_category,currency,gross,fee,net,source_id,"
    "payment_intent_id,payment_metadata[reference],refund_metadata[reference],"
    "customer_facing_amount,customer_facing_currency,card_brand"
)
CHARGE = "2026-11-28 10:00:00,txn_1,charge,eur,129.00,4.05,124.95,ch_1,pi_1,A1,,129.00,eur,visa"
REFUND = "2026-11-28 11:00:00,txn_2,refund,eur,-3.00,0.00,-3.00,re_1,pi_1,A1,R1,-3.00,eur,visa"
FEE = "2026-11-28 12:00:00,txn_3,fee,eur,-1.20,0.00,-1.20,,,,,,,"
PAYOUT = "2026-11-28 13:00:00,txn_4,payout,eur,-50.00,0.00,-50.00,po_1,,,,,,"
DISPUTE = "2026-11-28 14:00:00,txn_5,dispute,eur,-129.00,15.00,-144.00,dp_1,pi_1,A1,,-129.00,eur,visa"
ABROAD = "2026-11-28 15:00:00,txn_6,charge,usd,10.00,0.59,9.41,ch_2,pi_2,A2,,1500,jpy,visa"


def report(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def eur(minor: int) -> Money:
    return Money(minor, CurrencyCode.EUR)


def at(hour: int) -> datetime:
    return datetime(2026, 11, 28, hour, tzinfo=UTC)


def test_each_line_tells_what_moved_and_for_what() -> None:
    statement = read_statement(b"\xef\xbb\xbf" + report(CHARGE, REFUND, FEE, PAYOUT, DISPUTE))

    assert statement.method is PaymentMethod.CARD
    assert statement.lines == [
        StatementLine(2, StatementKind.PAYMENT, "A1", "pi_1", eur(12_900), eur(405), at(10)),
        StatementLine(3, StatementKind.REFUND, "R1", "re_1", eur(-300), eur(0), at(11)),
        StatementLine(4, StatementKind.FEE, None, None, eur(-120), eur(0), at(12)),
        StatementLine(5, StatementKind.OTHER, None, "po_1", eur(-5_000), eur(0), at(13)),
        StatementLine(6, StatementKind.DISPUTE, "A1", "dp_1", eur(-12_900), eur(1_500), at(14)),
    ]


def test_a_payment_in_another_currency_than_the_accounts_is_told_as_the_customer_paid_it() -> None:
    (line,) = read_statement(report(ABROAD)).lines

    assert line.amount == Money(1_500, CurrencyCode.JPY)
    assert line.fee == Money(59, CurrencyCode.USD)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "columns"),
        (report(CHARGE, header="a,b"), "columns balance_transaction_id"),
        (report(CHARGE, CHARGE), "line 3 stands there twice"),
        (report(CHARGE.replace("124.95", "124.96")), "line 2 does not add up"),
        (report(CHARGE.replace(",charge,", ",windfall,")), "line 2 is of an unknown category: windfall"),
        (report(CHARGE.replace("129.00", "129.001", 1)), "line 2 has an amount"),
        (report(CHARGE.replace("129.00", "NaN", 1)), "line 2 has an amount"),
        (report(CHARGE.replace(",eur,", ",krw,", 1)), "line 2 has an amount, currency"),
        (report(CHARGE.replace("2026-11-28", "28.11.2026")), "line 2 has an amount, currency or time"),
        (report(CHARGE[:-5]), "line 2 has more or fewer cells"),
        (report(CHARGE + ",x"), "line 2 has more or fewer cells"),
        (report(CHARGE).replace(b"visa", b"\xff"), "not in UTF-8"),
        (report('"' + CHARGE), "not a CSV file"),
    ],
)
def test_a_file_that_is_no_report_or_does_not_add_up_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(StatementUnreadable, match=reason):
        read_statement(content)


async def test_a_fetched_day_has_the_payments_refunds_and_disputes_of_the_book(desk: CardDesk) -> None:
    attempt = await begin_paid(desk)
    refund = part_of(attempt, 300)
    made = await desk.provider.refund(refund)
    await desk.control("refund", reference=refund.reference, status="failed", failure_reason="unknown")
    await desk.control("dispute", reference=attempt.reference)
    others = [await begin_paid(desk) for _ in range(105)]

    content = await desk.provider.fetch_statement(datetime.now(UTC).date())
    lines = desk.provider.read_statement(content).lines

    ours = [each for each in lines if each.reference in {attempt.reference, refund.reference}]
    found = [(each.kind, each.provider_reference, each.amount.minor, each.fee.minor) for each in ours[::-1]]
    assert found == [
        (StatementKind.PAYMENT, attempt.provider_reference, 12_900, 405),
        (StatementKind.REFUND, made.provider_reference, -300, 0),
        (StatementKind.REFUND, made.provider_reference, 300, 0),
    ]
    (dispute,) = [each for each in lines if each.kind is StatementKind.DISPUTE]
    assert (dispute.amount.minor, dispute.fee.minor) == (-12_900, 1_500)
    assert {each.reference for each in others} <= {each.reference for each in lines}
    assert (
        sum(each.amount.minor - each.fee.minor for each in lines) == (await desk.control("book"))["balance"]
    )


async def test_a_day_without_payments_is_an_empty_statement(desk: CardDesk) -> None:
    content = await desk.provider.fetch_statement(datetime(2020, 1, 1, tzinfo=UTC).date())

    assert desk.provider.read_statement(content).lines == []
