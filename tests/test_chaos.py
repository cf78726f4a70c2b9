"""Payments end rightly whatever is killed and stalled, and a bench that proves it finds what is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.chaos_books import BookedRefund, ProviderBook, ShopOrder, compare_books
from bench.chaos_payment import CHAOS_ROUND_SECONDS, SEED, run_chaos
from bench.provider_servers.stripe.book import ApiProblem
from bench.provider_servers.stripe.server import StripeServer
from models import (
    CurrencyCode,
    OrderStatus,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentMethod,
    Refund,
    RefundStatus,
)

PAYMENTS = 100


async def test_payments_end_rightly_while_everything_is_killed_and_stalled(tmp_path: Path) -> None:
    result = await run_chaos(PAYMENTS, SEED, CHAOS_ROUND_SECONDS, tmp_path)

    assert result.wrong == []
    assert sum(result.orders.values()) >= PAYMENTS * 0.8
    assert result.captured >= PAYMENTS // 3
    assert result.refunded > 0
    assert all(sum(counts) > 0 for counts in zip(result.kills.values(), result.stalls.values(), strict=True))


def attempt(status: PaymentAttemptStatus = PaymentAttemptStatus.CAPTURED, number: int = 1) -> PaymentAttempt:
    reference = f"O1_1_{number}"
    return PaymentAttempt(
        reference=reference,
        status=status,
        amount=900,
        currency=CurrencyCode.CNY,
        provider_reference=f"P{number}",
    )


def refund(status: RefundStatus = RefundStatus.SUCCEEDED) -> Refund:
    return Refund(reference="O1-R1", status=status, amount=200, currency=CurrencyCode.CNY, renewals=0)


def paid_order(*, refunds: list[Refund] | None = None) -> ShopOrder:
    given = sum(each.amount for each in refunds or [])
    return ShopOrder(
        "O1",
        OrderStatus.CONFIRMED,
        900,
        attempts=[attempt()],
        refunds=refunds or [],
        captured=900,
        refunded=given,
    )


def book_of(captured: dict[str, int], refunds: list[tuple[str, BookedRefund]] | None = None) -> ProviderBook:
    names = {reference: f"P{reference[-1]}" for reference in captured}
    return ProviderBook(captured, names, refunds or [])


def compare(order: ShopOrder, book: ProviderBook, parts: set[int] | None = None) -> list[str]:
    return compare_books([order], {PaymentMethod.SANDBOX: book}, {"O1": parts or {0}})


PAID = {"O1_1_1": 900}
GIVEN_BACK = ("O1-R1", BookedRefund("O1_1_1", 200))


def test_equal_books_have_nothing_wrong() -> None:
    assert compare(paid_order(), book_of(PAID)) == []
    assert compare(paid_order(refunds=[refund()]), book_of(PAID, [GIVEN_BACK]), {200}) == []


@pytest.mark.parametrize(
    ("order", "book", "wrong"),
    [
        (
            replace(paid_order(), attempts=[attempt(PaymentAttemptStatus.CLOSED)], captured=0),
            book_of(PAID),
            ["SANDBOX: O1_1_1 was paid, and is CLOSED here", "O1: took 900 and gave back 0; here 0 and 0"],
        ),
        (
            paid_order(),
            book_of(PAID | {"O1_1_2": 900}),
            ["SANDBOX: O1_1_2 was paid, and is unknown here"],
        ),
        (
            replace(paid_order(), attempts=[attempt(), attempt(number=2)], captured=1_800),
            book_of(PAID | {"O1_1_2": 900}),
            ["O1: is CONFIRMED, cost 900, and 1800 is kept"],
        ),
        (
            replace(paid_order(), status=OrderStatus.CANCELLED),
            book_of(PAID),
            ["O1: is CANCELLED, and 900 is kept"],
        ),
        (
            replace(paid_order(), status=OrderStatus.PENDING),
            book_of(PAID),
            ["O1: still waits for its payment"],
        ),
        (
            paid_order(refunds=[refund()]),
            book_of(PAID, [GIVEN_BACK, GIVEN_BACK]),
            [
                "SANDBOX: refund O1-R1 was made 2 times",
                "O1: took 900 and gave back 400; here 900 and 200",
                "O1: is CONFIRMED, cost 900, and 500 is kept",
            ],
        ),
        (
            replace(paid_order(refunds=[refund(RefundStatus.PENDING)]), refunded=0),
            book_of(PAID, [GIVEN_BACK]),
            [
                "SANDBOX: refund O1-R1 of 200 was made, and is PENDING of 200 here",
                "SANDBOX: refund O1-R1 is PENDING here: None",
                "O1: took 900 and gave back 200; here 900 and 0",
            ],
        ),
        (
            paid_order(refunds=[refund()]),
            book_of(PAID),
            [
                "SANDBOX: refund O1-R1 is paid here and not there",
                "O1: took 900 and gave back 0; here 900 and 200",
                "O1: is CONFIRMED, cost 900, and 900 is kept",
            ],
        ),
    ],
    ids=[
        "a capture the shop does not know",
        "a capture of no attempt",
        "money kept twice",
        "money of a cancelled order",
        "an order that waits",
        "a refund made twice",
        "a refund the shop does not know",
        "a refund the provider does not know",
    ],
)
def test_what_is_wrong_is_named(order: ShopOrder, book: ProviderBook, wrong: list[str]) -> None:
    assert compare(order, book, {200} if order.refunds else None) == wrong


def test_a_card_server_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    server = StripeServer.open(tmp_path)
    paid = server.book.create_intent(900, "cny", {"reference": "O1_1_1"})
    server.book.confirm(paid, "pm_card_visa")
    server.book.create_refund(paid, 200, {"reference": "O1-R1"})
    declined = server.book.create_intent(900, "cny", {"reference": "O2_1_1"})
    with pytest.raises(ApiProblem):
        server.book.confirm(declined, "pm_card_chargeDeclined")
    server.kept.begin("once", "/v1/refunds", {"amount": "200"}, server.book.now())
    server.kept.finish("once", 200, {"id": "re_1"})
    server.keep("once")

    again = StripeServer.open(tmp_path)

    assert again.book.dump() == server.book.dump()
    assert again.kept.answers == server.kept.answers
    assert [each.id for each in again.book.notices] == [each.id for each in server.book.notices]
    assert again.secret_key == server.secret_key
    assert again.webhook_secrets == server.webhook_secrets
    assert again.book.refunds.keys() == server.book.refunds.keys()
