"""Measures how soon many watchers of one cart are told of a change, and what that costs the server.

One server process; the watchers are sockets of this process on the same cores. Each round changes the cart
once and waits until every watcher has the update: the time from the answer to the change, which comes after
its commit, to the last update; and the CPU time of the server. Arguments: the database, else SQLite; how many
watchers; how many rounds.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.arguments import read_arguments
from bench.load import HIGH_RATES, cpu_seconds
from tests.process import Process, process_environment, run_cartwheel, serve_shop

WATCHERS = 1_000
ROUNDS = 10
PAUSE_SECONDS = 1.5
"""Between two rounds: longer than the time in which a cart is looked at once at most."""
SECONDS_LIMIT, CPU_LIMIT = 1.0, 2.0
"""What the slowest round may take, and the CPU time of the server in it."""
OPENED_TOGETHER = 50

CART = "cart { token version lines { id quantity variant { product { title } } total { amount } } }"
VARIANT = "{ products(first: 1) { nodes { variants { id } } } }"
ADD = f"""mutation ($input: CartLineAddInput!) {{
  cartLineAdd(input: $input) {{ {CART} userErrors {{ code }} }} }}"""
WATCH = """subscription { cartUpdates { version cart { lines { quantity variant { sku product { title } } }
  totals { total { amount } } warnings { code } } } }"""


@dataclass(frozen=True, slots=True)
class WatchRound:
    """One change of the cart, told to all watchers; in seconds."""

    delay: float
    cpu: float


async def ask(http: httpx.AsyncClient, document: str, token: str = "", **terms: object) -> Any:
    headers = {"X-Cart-Token": token} if token else {}
    body = {"query": document, "variables": {"input": terms}}
    response = await http.post("/graphql", json=body, headers=headers)
    answer = response.json()
    if "errors" in answer:
        raise RuntimeError(str(answer["errors"])[:500])
    return answer["data"]


@asynccontextmanager
async def open_watcher(url: str, token: str) -> AsyncIterator[ClientConnection]:
    address = url.replace("http", "ws") + "/graphql"
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(address, subprotocols=[protocol], compression=None, open_timeout=60) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"X-Cart-Token": token}}))
        await socket.recv()
        message = {"id": "1", "type": "subscribe", "payload": {"query": WATCH}}
        await socket.send(json.dumps(message))
        yield socket


async def measure_round(
    http: httpx.AsyncClient, process: Process, sockets: Sequence[ClientConnection], token: str, variant: str
) -> WatchRound:
    cpu = cpu_seconds(process.pid)
    changed = (await ask(http, ADD, token, variantId=variant, quantity=1))["cartLineAdd"]
    answered = time.perf_counter()
    frames = await asyncio.gather(*(socket.recv() for socket in sockets))
    delay = time.perf_counter() - answered
    for frame in frames:
        message = json.loads(frame)
        if message["type"] != "next":
            raise RuntimeError(str(message)[:500])
        update = message["payload"]["data"]["cartUpdates"]
        if update["version"] != changed["cart"]["version"]:
            raise RuntimeError(f"a watcher is told version {update['version']}")
    return WatchRound(delay, cpu_seconds(process.pid) - cpu)


async def run_rounds(process: Process, watchers: int, rounds: int) -> list[WatchRound]:
    """One cart, its watchers and its changes."""
    async with httpx.AsyncClient(base_url=process.url, timeout=60) as http, AsyncExitStack() as stack:
        variant = (await ask(http, VARIANT))["products"]["nodes"][0]["variants"][0]["id"]
        token = (await ask(http, ADD, variantId=variant))["cartLineAdd"]["cart"]["token"]
        sockets: list[ClientConnection] = []
        for start in range(0, watchers, OPENED_TOGETHER):
            together = range(min(OPENED_TOGETHER, watchers - start))
            opened = [stack.enter_async_context(open_watcher(process.url, token)) for _ in together]
            sockets += await asyncio.gather(*opened)
        await asyncio.sleep(PAUSE_SECONDS)
        results = []
        for _ in range(rounds):
            results.append(await measure_round(http, process, sockets, token, variant))
            await asyncio.sleep(PAUSE_SECONDS)
        return results


async def run(url: str | None, *, watchers: int = WATCHERS, rounds: int = ROUNDS) -> list[WatchRound]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = process_environment(url or f"sqlite:///{folder}/shop.db", folder, **HIGH_RATES)
        loaded = run_cartwheel("demo", env=env)
        if loaded.returncode:
            raise RuntimeError(loaded.stderr)
        async with serve_shop(env, folder / "log") as process:
            return await run_rounds(process, watchers, rounds)


def main() -> int:
    arguments = read_arguments(__doc__)
    urls, numbers = arguments.urls, arguments.numbers
    watchers, rounds = (*numbers, *(WATCHERS, ROUNDS)[len(numbers) :])
    results = asyncio.run(run(urls[0] if urls else None, watchers=watchers, rounds=rounds))
    print(f"{watchers} watchers of one cart, {len(results)} changes: seconds until the last is told")
    delays, cpu = [each.delay for each in results], [each.cpu for each in results]
    for name, values in (("told after", delays), ("CPU of the server", cpu)):
        median = statistics.median(values)
        print(f"{name:>18}  min {min(values):.3f}  median {median:.3f}  max {max(values):.3f}")
    return int(max(delays) > SECONDS_LIMIT or max(cpu) > CPU_LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
