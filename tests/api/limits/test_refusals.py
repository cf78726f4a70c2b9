"""What is too large or too costly is refused before anything is done, over HTTP and over WebSocket."""

from typing import Any

import httpx
import pytest

from events.shop import Shop
from gateways.buckets import MemoryBuckets
from schema.limits.sizes import SEARCH
from schema.limits.text import VALUES_LIMIT
from settings import Settings, WrongSetting
from tests.api.cart.documents import create_variants
from tests.api.cart.saved_documents import WATCH, guest_with
from tests.api.limits.attacks import SIGN_INS, TOO_COSTLY, TOO_LARGE
from tests.clients import Clients
from tests.factories.catalog import create_product

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def codes(response: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in response["errors"]]


def with_operations(settings: Settings, **changes: float) -> Settings:
    operations = settings.costs.model_copy(update=changes)
    return settings.model_copy(update={"costs": operations})


async def post(clients: Clients, document: str, **variables: Any) -> httpx.Response:
    return await clients.guest().post(document, **variables)


@pytest.mark.parametrize("attack", TOO_COSTLY)
async def test_an_operation_that_costs_too_much_is_refused(clients: Clients, attack: str) -> None:
    response = await post(clients, TOO_COSTLY[attack])

    cost = response.json()["extensions"]["cost"]
    assert (response.status_code, codes(response.json())) == (400, ["OPERATION_TOO_COSTLY"])
    assert cost["requested"] > cost["limit"] == clients.shop.settings.costs.guest_limit
    assert cost["left"] == cost["capacity"]


@pytest.mark.parametrize("attack", TOO_LARGE)
async def test_an_operation_that_is_too_large_is_refused(clients: Clients, attack: str) -> None:
    response = await post(clients, TOO_LARGE[attack])

    assert (response.status_code, codes(response.json())) == (400, ["OPERATION_TOO_LARGE"])


@pytest.mark.parametrize(
    "variables",
    [
        {"ids": ["a"] * (VALUES_LIMIT + 1)},
        {"ids": [["a"] * 1_000] * 51},
        {"ids": {str(number): number for number in range(VALUES_LIMIT)}},
    ],
)
async def test_an_operation_with_too_many_values_is_refused(
    clients: Clients, variables: dict[str, Any]
) -> None:
    response = await post(clients, NODES, **variables)

    assert (response.status_code, codes(response.json())) == (400, ["OPERATION_TOO_LARGE"])


async def test_variables_nested_too_deeply_are_refused(clients: Clients) -> None:
    deep: object = "a"
    for _ in range(25):
        deep = [deep]
    assert codes((await post(clients, NODES, ids=deep)).json()) == ["OPERATION_TOO_LARGE"]

    body = b'{"query": "{ viewer { role } }", "variables": {"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}"
    reply = await clients.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400


async def test_after_a_refusal_nothing_has_been_done(clients: Clients) -> None:
    assert codes((await post(clients, SIGN_INS)).json()) == ["OPERATION_TOO_COSTLY"]

    assert isinstance(clients.shop.buckets, MemoryBuckets)
    assert len(clients.shop.buckets) == 1, "only that the document was read; no sign-in, and no cost"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (TOO_COSTLY["a variant's product's variants"], "OPERATION_TOO_COSTLY"),
        (TOO_LARGE["many tokens"], "OPERATION_TOO_LARGE"),
        (TOO_LARGE["900 kB of one text"][:60_000], "OPERATION_TOO_LARGE"),
    ],
)
async def test_a_refused_operation_gets_an_error_over_websocket_and_the_socket_lives(
    clients: Clients, document: str, code: str
) -> None:
    async with clients.guest().watch(document) as watch:
        message = await watch.receive()
        await watch.send(type="subscribe", id="2", payload={"query": "{ viewer { role } }"})
        answer = await watch.receive()

    assert (message["type"], message["id"]) == ("error", "1")
    assert codes({"errors": message["payload"]}) == [code]
    assert (answer["type"], answer["payload"]["data"]) == ("next", {"viewer": {"role": "GUEST"}})
    assert answer["payload"]["extensions"]["cost"]["requested"] == 2


@pytest.mark.parametrize("media_type", ["text/event-stream", "multipart/mixed; subscriptionSpec=1.0"])
@pytest.mark.parametrize(
    ("document", "code"),
    [
        (TOO_COSTLY["a variant's product's variants"], "OPERATION_TOO_COSTLY"),
        (TOO_LARGE["many tokens"], "OPERATION_TOO_LARGE"),
    ],
)
async def test_a_refused_operation_gets_an_error_in_a_stream(
    clients: Clients, document: str, code: str, media_type: str
) -> None:
    reply = await clients.http.post("/graphql", json={"query": document}, headers={"Accept": media_type})

    assert code in reply.text


async def test_an_event_tells_what_the_subscription_costs_and_nothing_of_one_bucket(
    clients: Clients, shop: Shop
) -> None:
    (tea,) = await create_variants(shop)
    guest, _ = await guest_with(clients, tea)

    async with guest.watch(WATCH, after=0) as watch:
        message = await watch.receive()

    assert message["type"] == "next"
    assert message["payload"]["extensions"]["cost"].keys() == {"requested", "limit"}


async def test_what_a_variable_asks_for_counts_as_what_a_literal_asks_for(clients: Clients) -> None:
    by_variable = "query ($n: Int!) { products(first: $n) { nodes { id } } }"

    costs = [
        (await post(clients, document, **variables)).json()["extensions"]["cost"]["requested"]
        for document, variables in [
            ("{ products(first: 7) { nodes { id } } }", {}),
            (by_variable, {"n": 7}),
            (by_variable, {"n": 8}),
            (by_variable.replace("Int!", "Int! = 9"), {}),
        ]
    ]

    assert costs == [SEARCH + 1 + rows for rows in (7, 7, 8, 9)]


async def test_values_in_variables_are_paid_for_also_where_nothing_uses_them(clients: Clients) -> None:
    unused = "query ($all: [ID!]) { viewer { role } }"

    reply = (await post(clients, unused, all=["a"] * 999)).json()

    assert reply["extensions"]["cost"]["requested"] == 2 + 400


async def test_who_asks_for_types_of_types_is_told_what_is_allowed(clients: Clients) -> None:
    reply = (await post(clients, TOO_LARGE["types of types"])).json()

    assert reply["errors"][0]["message"] == (
        "An introspection may list the fields or types of a type, and no such lists within each other."
    )


async def test_who_has_used_up_the_bucket_is_told_when_to_come_again(clients: Clients) -> None:
    clients.shop.settings = with_operations(
        clients.shop.settings, guest_limit=10, guest_bucket=10, guest_refill=0.01
    )
    document = "{ viewer { role language currency } }"

    replies = [await post(clients, document) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert codes(replies[2].json()) == ["RATE_LIMITED"]
    assert 190 <= int(replies[2].headers["Retry-After"]) <= 200
    assert [reply.json()["extensions"]["cost"]["left"] for reply in replies] == [6, 2, 2]


async def test_a_bucket_belongs_to_the_account_and_a_guests_to_the_address(clients: Clients) -> None:
    clients.shop.settings = with_operations(
        clients.shop.settings,
        guest_limit=2, guest_bucket=2, guest_refill=0.01,
        customer_limit=2, customer_bucket=2, customer_refill=0.01,
    )  # fmt: skip
    document = "{ viewer { role } }"
    customers = [await clients.customer() for _ in range(2)]

    statuses = [(await each.post(document)).status_code for each in (clients.guest(), *customers) * 2]

    assert statuses == [200, 200, 200, 429, 429, 429]


async def test_an_operation_that_is_not_valid_is_paid_for_too(clients: Clients) -> None:
    clients.shop.settings = with_operations(clients.shop.settings, guest_refill=0.01)
    first, second = [(await post(clients, "{ nothing { at all } }")).json() for _ in range(2)]

    assert first["errors"] == second["errors"]
    assert first["extensions"]["cost"]["left"] > second["extensions"]["cost"]["left"]


async def test_an_answer_for_everybody_says_nothing_of_one_bucket(clients: Clients) -> None:
    async with clients.shop.database.writes.begin() as session:
        await create_product(session, slug="tea")
    url = str(httpx.URL("/graphql", params={"query": '{ product(slug: "tea") { title } }'}))

    first = await clients.http.get(url)
    again = await clients.http.get(url, headers={"If-None-Match": first.headers["ETag"]})

    assert first.json()["extensions"] == {
        "cost": {"requested": 2, "limit": clients.shop.settings.costs.guest_limit}
    }
    assert again.status_code == 304


async def test_a_subscription_is_paid_for_when_it_begins(clients: Clients) -> None:
    clients.shop.settings = with_operations(clients.shop.settings, customer_refill=0.01)
    customer = await clients.customer()
    async with customer.watch("subscription { viewerUpdates { message } }"):
        left = (await customer.post("{ viewer { role } }")).json()["extensions"]["cost"]["left"]

    operations = clients.shop.settings.costs
    assert operations.customer_bucket - left == 11 + 2


def test_a_limit_that_no_bucket_ever_holds_is_no_setting() -> None:
    with pytest.raises(WrongSetting, match="GUEST_COST_LIMIT is more than GUEST_COST_BUCKET ever holds"):
        Settings.from_environment(env_file=None, guest_cost_limit=10, guest_cost_bucket=9)


NEW_DOCUMENTS_LIMIT = 10
ROLE = "query Q%02d%.4s { viewer { role } }"
READING = 2 * len(ROLE % (0, "1234")) * NEW_DOCUMENTS_LIMIT


@pytest.mark.settings(guest_cost_limit=100, guest_cost_bucket=READING, guest_cost_refill=1)
async def test_documents_that_are_not_known_are_read_for_a_price(clients: Clients) -> None:
    dialect = clients.shop.database.dialect  # documents stay known from test to test
    texts = [ROLE % (number, dialect) for number in range(NEW_DOCUMENTS_LIMIT + 1)]
    answers = [await post(clients, text) for text in [*texts, texts[0]]]

    *new, refused, known = answers
    assert [each.status_code for each in new] == [200] * NEW_DOCUMENTS_LIMIT
    assert (refused.status_code, codes(refused.json())) == (429, ["RATE_LIMITED"])
    assert int(refused.headers["Retry-After"]) > 0
    assert known.status_code == 200, "a document that is known is not read again"
