"""The bench of attacks, in small: the shop refuses each and goes on answering."""

import random

from bench.attacks import (
    OPERATIONS,
    check_alive,
    flood_socket,
    send_bodies,
    send_message,
    subscribe,
)
from edge.graphql.answer import encode_json
from tests.api.limits.attacks import TOO_COSTLY, TOO_LARGE
from tests.clients import Clients

SEED, SAMPLE = 9, 8


async def test_attacks_are_refused_over_http_and_websocket_and_the_shop_goes_on(clients: Clients) -> None:
    url = await clients.start_server()
    hostile = sorted({**TOO_COSTLY, **TOO_LARGE}.items())
    for _, document in random.Random(SEED).sample(hostile, SAMPLE):
        message = encode_json(subscribe("1", document)).decode()
        assert await send_message(url, message) == "error"
    assert await send_message(url, "x" * 2_000_000) == "closed 1009"
    assert await flood_socket(url) == f"100 of {OPERATIONS} run"
    assert set(await send_bodies(url)) == {"400", "413"}

    await check_alive(url)
