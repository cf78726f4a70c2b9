"""An event stream that is refused leaves nothing running."""

import pytest

from tests.api.cart.documents import create_variants
from tests.api.cart.saved_documents import guest_with
from tests.clients import Clients
from tests.edge.graphql.transports import open_http

WATCH = {"query": "subscription { cartUpdates { version } }"}


@pytest.mark.settings(live_connections_per_address=1)
@pytest.mark.parametrize(
    ("transport", "media_type"),
    [("sse", "text/event-stream"), ("multipart", "multipart/mixed;subscriptionSpec=1.0")],
)
async def test_a_refused_stream_leaves_nothing_running(
    clients: Clients, transport: str, media_type: str
) -> None:
    (tea,) = await create_variants(clients.shop)
    guest, _ = await guest_with(clients, tea)
    headers = guest.headers | {"Accept": media_type}
    async with (
        open_http(clients) as http,
        http.stream("POST", "/graphql", json=WATCH, headers=headers) as one,
    ):
        refused = [await http.post("/graphql", json=WATCH, headers=headers) for _ in range(3)]
        running = clients.shop.metrics.live_operations.get((transport,))

    assert (one.status_code, [each.status_code for each in refused]) == (200, [429] * 3)
    assert running == 1
