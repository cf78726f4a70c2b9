"""Servers that speak as OpenSearch does, and indexes in them."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import httpx
import pytest

from gateways.calls import CallObserver
from gateways.metrics import Metrics
from gateways.search import IndexLayout, OpenSearchIndex, SearchUnavailable
from gateways.search.opensearch import SearchApi
from gateways.search.opensearch.answers import Acknowledged, IndexNames
from tests.process import ROOT

REAL_ENGINE = os.environ.get("TEST_SEARCH_URL", "")
"""An OpenSearch that tests may use: the names of their indexes begin with a t and eight digits."""

START_LIMIT_SECONDS = 60.0


@dataclass
class SearchEngine:
    """A server of ours in a process of its own."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def control(self, what: str, **terms: object) -> dict[str, dict[str, list[str]]]:
        answer = httpx.post(f"{self.url}/control/{what}", json=terms)
        return cast("dict[str, dict[str, list[str]]]", answer.json())

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start it again, without anything it had."""
        self.process = start_process(self.port)


def start_process(port: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bench.provider_servers.opensearch", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    until = time.monotonic() + START_LIMIT_SECONDS
    while True:
        try:
            httpx.post(f"http://127.0.0.1:{port}/control/reset", json={})
        except httpx.TransportError:
            if time.monotonic() > until or process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return process


@contextmanager
def run_search_engine() -> Iterator[SearchEngine]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = SearchEngine(port, start_process(port))
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def running_engine() -> Iterator[SearchEngine]:
    with run_search_engine() as engine:
        yield engine


@pytest.fixture
def engine(running_engine: SearchEngine) -> SearchEngine:
    """A server that has nothing yet."""
    running_engine.control("reset")
    return running_engine


@pytest.fixture
def search_engine(engine: SearchEngine) -> str:
    return engine.url


@asynccontextmanager
async def open_search_index(layout: IndexLayout, url: str) -> AsyncIterator[OpenSearchIndex]:
    """An index of a new prefix, whose indexes are deleted at the end."""
    async with open_search_api(f"{url.rstrip('/')}/t{secrets.token_hex(4)}") as api:
        yield OpenSearchIndex(layout, api)
        with suppress(SearchUnavailable):
            names = (await api.ask(IndexNames, "indexes", f"/{api.prefix}-*/_alias")).names
            for name in names:
                await api.change(Acknowledged, "delete_index", "DELETE", f"/{name}")


@asynccontextmanager
async def open_search_api(url: str) -> AsyncIterator[SearchApi]:
    async with httpx.AsyncClient() as client:
        yield SearchApi(client, CallObserver(Metrics()), url)
