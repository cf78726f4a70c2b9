"""A further provider is a file, a registration and a group of settings: nothing else knows of it."""

import re
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from app import create_app, open_shop
from edge.commands.payment_keys import check_payment_keys
from gateways.payment.registry import CONNECTIONS, log_methods_off
from models import OrderPaymentStatus, OrderStatus, PaymentMethod
from settings import Settings
from tests.clients import Clients
from tests.conftest import Clock
from tests.databases import KeptDatabases
from tests.gateways.payment.shop.counter import Counter, action_of
from tests.gateways.payment.shop.tills import Sent, Till
from tests.gateways.payment.toy import ToyBank, connection_to
from tests.observe import assert_books_agree, run_until_idle
from tests.process import ROOT

KEY = "a key of the toy"
METHOD = PaymentMethod.CARD
"""Nobody has connected cards in these tests, so the toy takes them."""

PLACES = {
    "settings/business.py": "where its orders may get a deadline of their own",
    "domain/payment/refund_target.py": "where its refunds may be expected sooner than others",
}
"""The only files outside the room of the providers that name one."""

METHODS = "{ paymentMethods { method possible } }"


class ToyTill:
    """Only what a shop that is not served over HTTP asks of a till."""

    method = METHOD.value


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> ToyBank:
    monkeypatch.setenv("TOY_KEY", KEY)
    return ToyBank()


@pytest.fixture
async def counter(
    settings: Settings, clock: Clock, kept_databases: KeptDatabases, bank: ToyBank
) -> AsyncIterator[Counter]:
    app = create_app(
        settings,
        clock=clock,
        database=kept_databases.open(settings.database.url),
        connections=[*CONNECTIONS, connection_to(bank, METHOD)],
    )
    till: Till = ToyTill()  # type: ignore[assignment]
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        yield Counter(till, clients)


async def test_a_further_provider_is_offered_paid_with_and_refunded(counter: Counter, bank: ToyBank) -> None:
    options = (await counter.clients.guest().get(METHODS))["paymentMethods"]
    assert {"method": METHOD.value, "possible": True} in options
    purchase = await counter.buy()

    started = await counter.start(purchase, "PAGE")
    reference = (await counter.attempt(purchase)).reference
    assert action_of(started) == {"url": f"https://toy.example/{reference}"}
    body, headers = bank.pay(reference, KEY)
    forged = await counter.post(Sent(dict(headers), body + b" "))
    answers = [await counter.post(Sent(dict(headers), body)) for _ in range(2)]

    assert forged[0] == 400
    assert [status for status, _ in answers] == [200, 200]
    assert (await counter.order(purchase)).status is OrderStatus.CONFIRMED
    assert (await counter.refund(purchase, "30.00"))["userErrors"] == []
    assert (await counter.cancel(purchase))["userErrors"] == []
    await run_until_idle(counter.shop)
    assert [refund.minor for refund in bank.refunds.values()] == [30_00, 69_00]
    assert (await counter.order(purchase)).payment_status is OrderPaymentStatus.REFUNDED
    await assert_books_agree(counter.shop)


async def test_the_keys_of_a_further_provider_are_tried(
    settings: Settings, clock: Clock, bank: ToyBank, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    toy = [connection_to(bank, METHOD)]

    works = await check_payment_keys(settings, clock, toy)
    monkeypatch.setenv("TOY_KEY", "short")
    short = await check_payment_keys(settings, clock, toy)

    assert (works, short) == (0, 1)
    assert capsys.readouterr().out.splitlines() == ["CARD: the keys work", "CARD: TOY_KEY is too short"]


async def test_without_its_settings_a_further_provider_is_off_and_one_line_names_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = [connection_to(ToyBank(), METHOD)]
    monkeypatch.delenv("TOY_KEY", raising=False)

    with capture_logs() as logs:
        shop = open_shop(settings, connections=toy)
        log_methods_off(settings, toy)

    assert METHOD not in shop.payments
    assert [(line["event"], line["method"], line["missing"]) for line in logs] == [
        ("payment.method_off", "CARD", ["TOY_KEY"])
    ]
    await shop.close()


def test_no_other_file_names_a_provider() -> None:
    """What depends on the provider is in its own package, so that a further one changes nothing else."""
    names = "|".join(each.method.value for each in CONNECTIONS)
    named = re.compile(rf"PaymentMethod\.({names})\b|isinstance\([^)]*Provider\)")
    found = {
        path
        for file in ROOT.rglob("*.py")
        if (path := file.relative_to(ROOT).as_posix()).split("/")[0] not in NOT_SHOP
        and not path.startswith("gateways/payment/")
        and named.search(file.read_text("utf-8"))
    }

    assert found == PLACES.keys()


NOT_SHOP = {"tests", "bench", "demo", "migrations", ".venv", "var"}
