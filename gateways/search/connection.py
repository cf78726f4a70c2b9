"""The index that the settings choose."""

import httpx

from gateways.calls import CallObserver
from gateways.search.embedded import EmbeddedIndex
from gateways.search.opensearch import OpenSearchIndex, SearchApi
from gateways.search.protocol import IndexLayout, SearchIndex
from settings import Settings


def connect_search(
    settings: Settings, layout: IndexLayout, client: httpx.AsyncClient, observer: CallObserver
) -> SearchIndex:
    """The index of OpenSearch where SEARCH_URL names one, else that of this machine."""
    if url := settings.search.url.get_secret_value():
        seconds = settings.search.timeout.total_seconds()
        return OpenSearchIndex(layout, SearchApi(client, observer, url, seconds))
    return EmbeddedIndex(layout, settings.search_dir)


async def check_search(url: str, client: httpx.AsyncClient, observer: CallObserver) -> None:
    """SearchUnavailable unless the OpenSearch of a URL answers, and lets the shop in."""
    await SearchApi(client, observer, url).read_banner()
