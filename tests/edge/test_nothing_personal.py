"""Metrics, traces and logs say what the shop did, and nothing of whom and what it was about."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette

from app import create_app
from edge.metrics.collector import ShopCollector
from events.shop import Shop
from tests.clients import Clients
from tests.conftest import Clock, settings_for
from tests.databases import KeptDatabases
from tests.edge.collector import Collector
from tests.factories.catalog import create_product, variant_of
from tests.given import id_of
from tests.notices import CONFIRM, REGISTER, code_sent
from tests.observe import run_until_idle

MARK = "zqmark"
"""A part of every value that clients send."""

NAME, EMAIL, PASSWORD = f"{MARK} name", f"{MARK}@example.com", f"{MARK}-Password-1"
SIGN_IN = """
mutation ($input: SessionCreateInput!) {
  sessionCreate(input: $input) { session { accessToken refreshToken } userErrors { code message } }
}
"""
ADD = """
mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { token } userErrors { code } } }
"""
ADDRESS = "mutation ($input: AddressSaveInput!) { addressSave(input: $input) { userErrors { code } } }"
SEARCHES = f"""
query {{
  products(query: "{MARK} tea", first: 1) {{ totalCount }}
  articles(query: "{MARK} article", first: 1) {{ totalCount }}
  articleSuggestions(query: "{MARK} question") {{ title }}
}}
"""
QUOTE = "query ($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) { problems { code message } } }"
WRONG = [
    f'{{ products(first: "{MARK}") {{ totalCount }} }}',
    f'{{ node(id: "{MARK}") {{ id }} }}',
    f"{{ {MARK} }}",
    f"{MARK} {{",
    f'mutation {{ sessionCreate(input: {{ login: "{MARK}" }}) {{ userErrors {{ code }} }} }}',
]


@pytest.fixture
async def app(
    database_url: str, tmp_path: Path, clock: Clock, collector: Collector, kept_databases: KeptDatabases
) -> AsyncIterator[Starlette]:
    """Everything is slow here, so that every operation is logged with its statements."""
    settings = settings_for(
        database_url, tmp_path, otlp_endpoint=collector.url, slow_operation=timedelta(microseconds=1)
    )
    app = create_app(settings, clock=clock, database=kept_databases.open(settings.database.url))
    async with app.router.lifespan_context(app):
        yield app


async def use_the_shop(shop: Shop, clients: Clients) -> set[str]:
    """Send marked values through many doors; returns the tokens that the shop gave."""
    async with shop.database.writes.begin() as session:
        variant = id_of(await variant_of(session, await create_product(session, title="Tea")))
    guest, secrets = clients.guest(**{"X-Mark": MARK, "User-Agent": f"{MARK} bot"}), set()
    cart = await guest.do(ADD, variantId=variant, quantity=1)
    secrets.add(cart["cart"]["token"])
    guest.headers["X-Cart-Token"] = cart["cart"]["token"]
    registered = await guest.do(REGISTER, name=NAME, email=EMAIL, password=PASSWORD)
    verification = registered["verification"]["token"]
    code = await code_sent(shop, EMAIL)
    confirmed = await guest.do(CONFIRM, token=verification, code=code)
    signed_in = await guest.do(SIGN_IN, login=EMAIL, password=PASSWORD)
    secrets.add(verification)
    for payload in (confirmed, signed_in):
        secrets |= {payload["session"]["accessToken"], payload["session"]["refreshToken"]}
    await guest.do(SIGN_IN, login=EMAIL, password=f"{MARK} wrong")
    token = signed_in["session"]["accessToken"]
    customer = clients.guest(Authorization=f"Bearer {token}")
    place = {"city": "Hangzhou", "line1": f"{MARK} street", "recipient": NAME, "phone": "13800001111"}
    await customer.do(ADDRESS, address=place)
    await customer.get(SEARCHES)
    lines = [{"variantId": variant, "quantity": 1}]
    await customer.ask(QUOTE, input={"lines": lines, "deliveries": [], "couponCodes": [f"{MARK}-CODE"]})
    await customer.ask(QUOTE, input={"lines": lines, MARK: MARK})
    for document in WRONG:
        await customer.ask(document)
    await clients.http.get(f"/media/{MARK}?{MARK}={MARK}")
    await clients.http.post(
        "/graphql", content=f"{MARK} no json", headers={"Content-Type": "application/json"}
    )
    await clients.http.post(f"/webhooks/payments/{MARK}", content=json.dumps({"reference": MARK}))
    await clients.http.get("/graphql", headers={"Authorization": f"Bearer {MARK}", "traceparent": MARK})
    await run_until_idle(shop)
    return secrets | {MARK}


async def test_nothing_that_clients_send_is_in_metrics_traces_or_logs(
    shop: Shop, clients: Clients, collector: Collector, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = await use_the_shop(shop, clients)
    await shop.slow_operations.close()
    registry = CollectorRegistry()
    registry.register(ShopCollector(shop, "1", lambda: None))
    assert shop.tracer
    await shop.tracer.close()

    logged = capfd.readouterr()
    shown = {
        "metrics": generate_latest(registry).decode(),
        "traces": b"".join(collector.raw).decode(errors="replace"),
        "logs": logged.out + logged.err,
    }
    for expected in ("accountRegister", "checkoutQuote", "several"):
        assert expected in shown["metrics"]
    assert "INSERT INTO accounts" in shown["traces"]
    assert "operation.slow" in shown["logs"]
    assert "operation.plan" in shown["logs"]
    for place, text in shown.items():
        for secret in secrets:
            found = text.lower().find(secret.lower())
            assert found < 0, f"{place}: {text[max(found - 200, 0) : found + 100]}"
