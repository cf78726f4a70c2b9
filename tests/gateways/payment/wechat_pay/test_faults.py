"""Faults of WeChat Pay, of the network and of clocks: nothing is taken for true that nobody has signed."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gateways.payment.provider import Attempt, Closed, NotYetThere, Paid, ProviderError, ProviderRefused
from gateways.payment.wechat_pay import WeChatPay, connect
from gateways.secrets import Secrets
from models import AttemptStatus, RefundOutcome
from tests.gateways.payment.wechat_pay.attempts import (
    attempt_of,
    new_reference,
    new_start,
    paid_attempt,
    refund_of,
    yuan,
)
from tests.gateways.payment.wechat_pay.server import WeChatPayServer, clock_ahead, now, run_server

UNTRUSTED = [
    "unsigned",
    "wrong_signature",
    "probe",
    "stale",
    "ahead",
    "nonsense",
    "error_after",
    "server_error",
]


@pytest.mark.parametrize("fault", [*UNTRUSTED, "frequency", "forged_refusal"])
async def test_an_answer_that_is_not_signed_now_leaves_the_outcome_open(
    server: WeChatPayServer, provider: WeChatPay, fault: str
) -> None:
    attempt = await paid_attempt(server, provider)
    await server.ask("faults", fault=fault)

    with pytest.raises(ProviderError):
        await provider.query(attempt)

    assert (await provider.query(attempt)).status is AttemptStatus.CAPTURED


async def test_a_call_without_an_answer_ends_by_itself(server: WeChatPayServer) -> None:
    attempt = await paid_attempt(server, server.connect())
    await server.ask("faults", fault="hang", times=100)
    with pytest.raises(ProviderError, match="no answer"):
        await server.connect(WECHAT_PAY_TIMEOUT="0.2").query(attempt)


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_shop_whose_clock_is_wrong_learns_nothing_and_changes_nothing(
    server: WeChatPayServer, minutes: int
) -> None:
    provider = server.connect(clock_ahead(timedelta(minutes=minutes)))
    start = new_start()

    with pytest.raises(ProviderError):
        await provider.start(start)

    assert await server.order(start.reference) is None
    [problem, *_] = await provider.check()
    assert problem.startswith("WeChat Pay does not answer a query: ")


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_an_answer_whose_clock_is_wrong_is_not_believed(server: WeChatPayServer, minutes: int) -> None:
    provider = server.connect()
    attempt = await paid_attempt(server, provider)
    await server.ask("faults", fault="stale" if minutes < 0 else "ahead")
    with pytest.raises(ProviderError, match="not fresh"):
        await provider.query(attempt)


async def test_a_close_that_was_done_and_never_answered_is_settled_by_closing_again(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    start = new_start()
    await provider.start(start)
    await server.ask("faults", fault="drop")

    with pytest.raises(ProviderError):
        await provider.close(attempt_of(start))

    assert await provider.close(attempt_of(start)) == Closed()
    assert not (await server.ask("pay", reference=start.reference))["paid"]


async def test_what_was_paid_while_it_was_closed_is_paid(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)

    closing = await provider.close(attempt)

    assert isinstance(closing, Paid)
    assert closing.report.amount == yuan(1999)
    assert (await server.order(attempt.reference))["state"] == "SUCCESS"


async def test_what_never_arrived_is_not_there_yet(server: WeChatPayServer, provider: WeChatPay) -> None:
    start = new_start()
    await server.ask("faults", fault="server_error")
    with pytest.raises(ProviderError):
        await provider.start(start)

    assert await provider.close(attempt_of(start)) == NotYetThere()
    assert (await provider.query(attempt_of(start))).status is AttemptStatus.UNKNOWN


async def test_a_refund_without_the_money_for_it_is_refused_and_can_be_asked_for_again(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)
    refund = refund_of(attempt, 300)
    await server.ask("refunds", status="NOT_ENOUGH")

    with pytest.raises(ProviderRefused, match="NOT_ENOUGH"):
        await provider.refund(refund)

    assert (await provider.query_refund(refund, None)).outcome is RefundOutcome.UNKNOWN
    await server.ask("refunds", status="SUCCESS")
    assert (await provider.refund(refund)).outcome is RefundOutcome.SUCCEEDED


async def test_a_refund_of_another_amount_under_the_same_number_is_refused(
    server: WeChatPayServer, provider: WeChatPay
) -> None:
    attempt = await paid_attempt(server, provider)
    refund = refund_of(attempt, 300)
    await provider.refund(refund)
    other = refund_of(attempt, 400)

    with pytest.raises(ProviderError, match="another refund"):
        await provider.query_refund(
            type(refund)(refund.reference, attempt, other.amount, refund.reason), None
        )
    with pytest.raises(ProviderRefused):
        await provider.refund(type(refund)(refund.reference, attempt, other.amount, refund.reason))


async def test_a_provider_that_is_away_leaves_the_outcome_open(server: WeChatPayServer) -> None:
    provider = server.connect(WECHAT_PAY_URL="http://127.0.0.1:9")
    with pytest.raises(ProviderError, match="no answer: ConnectError"):
        await provider.query(Attempt(new_reference(), None, yuan(1)))
    assert len(await provider.check()) == 1


async def test_requests_signed_with_another_key_are_refused_and_the_check_says_so(
    server: WeChatPayServer,
) -> None:
    provider = server.connect(WECHAT_PAY_CERTIFICATE_SERIAL="0123456789ABCDEF")
    [problem] = await provider.check()
    assert "SIGN_ERROR" in problem
    with pytest.raises(ProviderError):
        await provider.refund(refund_of(Attempt(new_reference(), None, yuan(300)), 300))


async def test_a_server_that_was_killed_goes_on_with_its_book_and_keys(
    server: WeChatPayServer, tmp_path: Path
) -> None:
    start = new_start()
    with run_server(tmp_path) as first:
        one = WeChatPayServer(first["url"], first["environment"], tmp_path, server.client)
        await one.connect().start(start)
    with run_server(tmp_path) as second:
        two = WeChatPayServer(second["url"], second["environment"], tmp_path, server.client)
        assert (await two.connect().query(attempt_of(start))).status is AttemptStatus.WAITING


async def test_what_it_is_asked_and_what_it_answers_never_names_a_key(server: WeChatPayServer) -> None:
    settings = server.settings()
    async with httpx.AsyncClient(trust_env=False) as client:
        provider = connect(settings, client, now, Secrets())
    key = server.environment["WECHAT_PAY_API_KEY"]
    assert key not in repr(provider)
    assert key not in repr(settings.wechat_pay)
