"""Who ends a sign-in ends what stays open with it, at once, and nothing of another sign-in."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.api.cart.documents import ADD, create_variants
from tests.api.test_account import REFRESH, SIGN_OUT, client_of, sign_in, sign_in_mei
from tests.api.test_sign_ins import END, END_OTHERS, sign_ins_of
from tests.clients import Client, Clients
from tests.conftest import NEVER
from tests.edge.graphql.transports import (
    EVENT_STREAM,
    MULTIPART,
    Socket,
    initialised_socket,
    open_http,
    read_events,
    read_parts,
)
from tests.given import id_of
from tests.observe import wait_until

pytestmark = pytest.mark.settings(rights_check_every=NEVER)
"""Rights are checked when a signal tells of a change, and not again and again: no test waits for it."""

WATCH = "subscription { cartUpdates { version } }"
ROLE = "{ viewer { role } }"

EndSignIn = Callable[[Client, str], Awaitable[object]]
"""What ends the sign-in that has a refresh token; another sign-in of the same account may do it."""


async def end_one(other: Client, refresh_token: str) -> None:
    (lost,) = [each for each in await sign_ins_of(other) if not each["isCurrent"]]
    assert (await other.do(END, id=lost["id"]))["userErrors"] == []


async def end_others(other: Client, refresh_token: str) -> None:
    assert (await other.get(END_OTHERS))["otherSignInsEnd"]["userErrors"] == []


async def sign_out(other: Client, refresh_token: str) -> None:
    await other.clients.guest().do(SIGN_OUT, refreshToken=refresh_token)


async def use_stolen_token(other: Client, refresh_token: str) -> None:
    for _ in range(2):
        await other.clients.guest().do(REFRESH, refreshToken=refresh_token)


ENDINGS: dict[str, EndSignIn] = {
    "signInEnd": end_one,
    "otherSignInsEnd": end_others,
    "sign-out": sign_out,
    "a refresh token used twice": use_stolen_token,
}


async def sign_in_twice(clients: Clients) -> tuple[Client, Client, str]:
    """Clients of two sign-ins of an account with a cart, and the refresh token of the second."""
    (tea,) = await create_variants(clients.shop)
    other = client_of(clients, await sign_in_mei(clients))
    assert (await other.do(ADD, variantId=id_of(tea)))["userErrors"] == []
    payload = await sign_in(clients, "mei@example.com")
    return other, client_of(clients, payload), payload["session"]["refreshToken"]


async def watch(socket: Socket, clients: Clients, *, count: int) -> None:
    await socket.subscribe(WATCH, id="watch")
    await wait_for_watchers(clients, count)


async def wait_for_watchers(clients: Clients, count: int) -> None:
    await wait_until(lambda: sum(clients.shop.metrics.live_operations.values()) == count)


@pytest.mark.parametrize("end_sign_in", ENDINGS.values(), ids=ENDINGS)
async def test_a_socket_is_closed_at_once_when_its_sign_in_is_ended(
    clients: Clients, end_sign_in: EndSignIn
) -> None:
    other, lost, refresh_token = await sign_in_twice(clients)
    async with (
        initialised_socket(clients, **other.headers) as kept,
        initialised_socket(clients, **lost.headers) as socket,
    ):
        await watch(kept, clients, count=1)
        await watch(socket, clients, count=2)
        await end_sign_in(other, refresh_token)
        code, reason = await socket.read_close()
        await kept.subscribe(ROLE, id="2")
        [answer, _] = await kept.read_operation("2")
        await wait_for_watchers(clients, 1)

    assert (code, "sign-in has ended" in reason) == (4403, True)
    assert answer["payload"] == {"data": {"viewer": {"role": "CUSTOMER"}}}


@pytest.mark.parametrize("accept", [EVENT_STREAM, MULTIPART])
@pytest.mark.parametrize("end_sign_in", ENDINGS.values(), ids=ENDINGS)
async def test_a_stream_ends_at_once_when_its_sign_in_is_ended(
    clients: Clients, end_sign_in: EndSignIn, accept: str
) -> None:
    other, lost, refresh_token = await sign_in_twice(clients)
    async with initialised_socket(clients, **other.headers) as kept, open_http(clients) as http:
        await watch(kept, clients, count=1)
        headers = {**lost.headers, "Accept": accept}
        reading = asyncio.create_task(http.post("/graphql", json={"query": WATCH}, headers=headers))
        await wait_for_watchers(clients, 2)
        await end_sign_in(other, refresh_token)
        text = (await reading).text
        await wait_for_watchers(clients, 1)

    assert last_answer(text, accept)["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


def last_answer(text: str, accept: str) -> dict[str, Any]:
    """The last answer of a stream that has come to its end."""
    if accept == MULTIPART:
        payload: dict[str, Any] = read_parts(text)[-1]["payload"]
        return payload
    events = read_events(text)
    assert events[-1] == ("complete", "")
    answer: dict[str, Any] = json.loads(events[-2][1])
    return answer
