"""Cost and processor time of operations: `python -m bench cost [HOW MANY]`, 2,000 random documents else.

The documents are the attacks of the tests and those of a seeded generator. A guest sends each to the demo
shop, which runs in this process. The bench prints quantiles of the processor time, writes a plot of cost
against time and fails when a document takes more than LIMIT_MS. What does is sent twice more, and the fastest
of the three counts: the first may have met a garbage collection. There is no introspection among them, since
production shows no schema.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from app import create_app
from bench.arguments import read_arguments
from bench.documents import DocumentGenerator, Sample
from bench.load import HIGH_COST_LIMITS
from bench.plot import draw_scatter
from edge.gc_tuning import tune_garbage_collector
from edge.logs import configure_logging
from schema import schema
from settings import Settings
from tests.api.limits.attacks import LARGEST_ALLOWED, TOO_COSTLY, TOO_LARGE
from tests.clients import Clients
from tests.process import process_environment, run_cartwheel

LIMIT_MS = 50.0
SEED = 20261128
SAMPLES = 2_000
WARM_UP = 50
"""Documents that are sent once before, so that imports and caches of the libraries are not measured."""
PLOT = Path("var/cost.svg")


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a document, and the processor time of all threads, in milliseconds."""

    sample: Sample
    outcome: str
    cost: int
    cpu_ms: float


def list_attacks() -> list[Sample]:
    attacks = {**TOO_COSTLY, **TOO_LARGE, **LARGEST_ALLOWED}
    return [Sample(f"attack: {name}", text) for name, text in attacks.items()]


async def measure_sample(http: httpx.AsyncClient, sample: Sample) -> Measured:
    body, headers = sample.body, {"Content-Type": "application/json"}
    began = time.process_time()
    response = await http.post("/graphql", content=body, headers=headers)
    cpu_ms = (time.process_time() - began) * 1_000
    answer = response.json()
    errors = answer.get("errors", [])
    code = errors[0].get("extensions", {}).get("code") if errors else None
    outcome = "answered" if answer.get("data") else str(code or "not valid")
    return Measured(sample, outcome, answer.get("extensions", {}).get("cost", {}).get("requested", 0), cpu_ms)


async def measure_all(http: httpx.AsyncClient, samples: Sequence[Sample]) -> list[Measured]:
    for sample in samples[:WARM_UP]:
        await measure_sample(http, sample)
    results = []
    for sample in samples:
        measured = await measure_sample(http, sample)
        if measured.cpu_ms > LIMIT_MS:
            again = [await measure_sample(http, sample) for _ in range(2)]
            measured = min([measured, *again], key=lambda each: each.cpu_ms)
        results.append(measured)
    return results


def print_quantiles(results: Iterable[Measured]) -> None:
    groups: dict[str, list[float]] = defaultdict(list)
    for each in results:
        groups[each.outcome].append(each.cpu_ms)
    print(f"{'outcome':>24} {'documents':>9} {'median':>8} {'90 %':>8} {'99 %':>8} {'most':>8} ms of CPU")
    for outcome, times in sorted(groups.items()):
        times.sort()
        quantiles = [times[min(int(len(times) * share), len(times) - 1)] for share in (0.5, 0.9, 0.99, 1)]
        print(f"{outcome:>24} {len(times):>9} " + " ".join(f"{each:8.2f}" for each in quantiles))


def write_plot(results: Iterable[Measured]) -> None:
    groups: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for each in results:
        groups[each.outcome].append((float(max(each.cost, 1)), each.cpu_ms))
    PLOT.parent.mkdir(exist_ok=True)
    title = "Operations of guests: cost and processor time"
    PLOT.write_text(
        draw_scatter(title, "cost requested", "ms of CPU", dict(sorted(groups.items())), LIMIT_MS)
    )


async def run_bench(count: int, folder: Path) -> list[Measured]:
    env = process_environment(
        f"sqlite:///{folder}/shop.db", folder, LOG_LEVEL="ERROR", RUN_WORKER="false", **HIGH_COST_LIMITS
    )
    run_cartwheel("demo", env=env).check_returncode()
    names = (
        "DATABASE_URL",
        "VAR_DIR",
        "SECRET_KEY",
        "DEFAULT_LANGUAGE",
        "LOG_LEVEL",
        "RUN_WORKER",
        *HIGH_COST_LIMITS,
    )
    settings = Settings.from_environment(env_file=None, **{name.lower(): env[name] for name in names})
    samples = [*list_attacks(), *DocumentGenerator(schema._schema, SEED).write_samples(count)]
    configure_logging(settings)
    async with AsyncExitStack() as stack:
        app = create_app(settings)
        await stack.enter_async_context(app.router.lifespan_context(app))
        clients = await stack.enter_async_context(Clients.open(app))
        tune_garbage_collector()
        return await measure_all(clients.http, samples)


def main() -> int:
    numbers = read_arguments(__doc__).numbers
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(run_bench(numbers[0] if numbers else SAMPLES, Path(folder)))
    print_quantiles(results)
    write_plot(results)
    slow = [each for each in results if each.cpu_ms > LIMIT_MS]
    for each in sorted(slow, key=lambda measured: -measured.cpu_ms)[:10]:
        print(f"{each.cpu_ms:8.1f} ms, cost {each.cost}, {each.outcome}: {each.sample.name}")
        print(f"           {each.sample.text[:300]}")
    print(f"{len(results)} documents, {len(slow)} above {LIMIT_MS} ms of CPU; plot: {PLOT}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
