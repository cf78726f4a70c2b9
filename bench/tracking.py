"""Measures tracking at scale: 1,000 pushes a second for a minute, and questions about a million parcels.

Each push has 8 events of which one is new. One process serves (or more), one works, one sends, and PostgreSQL
runs beside them on the same cores; a push is timed from the moment at which it was planned to be sent.
Afterwards each new event is there once, nothing waits to be folded or told, and orders agree with their
parcels. What counts on a machine that others use as well is the CPU time of a push, on each side. Then two
workers claim whom to ask about among a million parcels under way, which fall due evenly within an hour.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bench.arguments import create_parser
from bench.load import HIGH_RATES, cpu_seconds
from bench.push_load import NUMBER, PushResult, PushTask
from bench.tracking_stage import (
    CARRIER,
    KNOWN_EVENTS,
    PushedParcels,
    add_polled_parcels,
    build_parcels,
    open_connection,
    step_text,
)
from domain.audit import build_rule_query
from domain.shipment.due import due_carrier_polls
from domain.shipment.polling import PollPlan, claim_polls
from events.jobs.scheduler import BATCH, GROUP
from models import Event, IncomingPush, Notice, TrackingEvent
from models.database import Database
from models.sql.batches import in_batches
from models.sql.types import AnySelect
from tests.process import ROOT, process_environment, run_cartwheel, running_worker, serve_shop
from tests.servers import run_postgres

RATE, SECONDS, CONNECTIONS = 1_000, 60, 64
POLLED, CLAIMS = 1_000_000, 10_000
INTERVAL = timedelta(hours=1)
SALT = "a salt of the bench"
PATH = "/webhooks/carriers/kuaidi100"
BEIJING = ZoneInfo("Asia/Shanghai")
DELIVERED_IN = 8
"""Of so many parcels one is delivered by what is pushed."""
KUAIDI100: Mapping[str, str] = {
    "KUAIDI100_KEY": "key",
    "KUAIDI100_CUSTOMER": "customer",
    "KUAIDI100_SALT": SALT,
    "CARRIER_POLL_EVERY": "86400",
}
LOOKS_APART_SECONDS = 0.1
UNRELAYED = sa.select(Event.id).where(Event.relayed_at.is_(None))
UNSENT = sa.select(Notice.id).where(Notice.due_at.is_not(None))
RULES = (
    "pushes of carriers are folded",
    "fulfilment as the parcels say",
    "ready to be collected as the parcels say",
    "receipt of what has arrived is due",
)


@dataclass(frozen=True, slots=True)
class TrackingPlan:
    """How many pushes are sent, and how fast."""

    pushes: int
    rate: float
    connections: int = CONNECTIONS
    servers: int = 1
    """Processes that take pushes."""
    polled: int = POLLED
    """Parcels that are asked about."""
    claims: int = CLAIMS
    """Questions that are claimed."""


@dataclass(frozen=True, slots=True)
class PollFigures:
    """What was measured of claiming; times in seconds."""

    claimed: Sequence[int]
    groups: Sequence[float]
    seconds: float
    plan: str


@dataclass(frozen=True, slots=True)
class PushFigures:
    """What was measured of pushes; times in seconds."""

    result: PushResult
    stored: int
    """New events, each of another parcel."""
    doubled: int
    waiting: int
    backlog: int
    """What waited to be folded when the last push was answered."""
    folded_after: float
    """From the last answer until all was folded."""
    informed_after: float
    """The same until watchers and customers had been told of all of it, too."""
    delays: Sequence[float]
    """How long the oldest push had waited, of each look while pushes came in."""
    cpu: Mapping[str, float]


def main() -> None:
    parser = create_parser(__doc__)
    parser.add_argument("--rate", type=int, default=RATE, help="pushes a second")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for how long")
    parser.add_argument("--parcels", type=int, default=POLLED, help="parcels that are asked about")
    parser.add_argument("--servers", type=int, default=1, help="processes that take them")
    given, _ = parser.parse_known_args()
    plan = TrackingPlan(given.rate * given.seconds, given.rate, servers=given.servers, polled=given.parcels)
    with run_postgres() as server, tempfile.TemporaryDirectory() as folder:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.create_database(name))
        print(f"PostgreSQL: {server.origin}")
        try:
            asyncio.run(run(url, Path(folder), plan))
        finally:
            asyncio.run(server.drop_database(name))


async def run(url: str, folder: Path, plan: TrackingPlan) -> None:
    began = time.perf_counter()
    parcels = await build_stage(url, folder, plan.pushes)
    print(
        f"{plan.pushes:,} parcels with {KNOWN_EVENTS} events each made in {time.perf_counter() - began:.0f} s"
    )
    figures = await measure_pushes(url, folder, parcels, plan)
    print_pushes(figures, plan)
    wrong = find_wrong_pushes(figures, plan)
    wrong = wrong or await find_disagreement(url)
    if wrong:
        raise SystemExit(wrong)
    began = time.perf_counter()
    now = datetime.now(UTC)
    await add_polled_parcels(url, plan.polled, now=now, interval=INTERVAL)
    await analyze(url)
    print(f"{plan.polled:,} parcels under way made in {time.perf_counter() - began:.0f} s")
    polls = await measure_polls(url, now, plan.claims)
    print_polls(polls)
    if wrong := find_wrong_polls(polls):
        raise SystemExit(wrong)


async def build_stage(url: str, folder: Path, many: int) -> PushedParcels:
    run_cartwheel("migrate", env=process_environment(url, folder)).check_returncode()
    parcels = await build_parcels(url, many)
    await analyze(url)
    return parcels


async def analyze(url: str) -> None:
    async with create_async_engine(
        url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    ).connect() as database:
        await database.execute(sa.text("VACUUM ANALYZE"))


async def measure_pushes(url: str, folder: Path, parcels: PushedParcels, plan: TrackingPlan) -> PushFigures:
    """Send one push of each parcel while a worker folds them."""
    env = process_environment(url, folder, LOG_LEVEL="WARNING", RUN_WORKER="false", **HIGH_RATES, **KUAIDI100)
    async with AsyncExitStack() as running:
        servers = [
            await running.enter_async_context(serve_shop(env, folder / f"server{number}.log"))
            for number in range(plan.servers)
        ]
        worker = running.enter_context(running_worker(env, folder / "worker.log"))
        await asyncio.sleep(3)
        pids = {"serving": [server.pid for server in servers], "working": [worker.pid or 0]}
        before = read_cpu(pids | {"PostgreSQL": await backend_pids(url)})
        task = push_task(parcels, plan, [server.port for server in servers])
        sending = asyncio.create_task(asyncio.to_thread(send_pushes, task))
        delays = []
        while not sending.done():
            delays.append(await oldest_waiting(url))
            await asyncio.sleep(1)
        result, sent_at = await sending, time.perf_counter()
        backlog = await count_rows(url, sa.select(IncomingPush.id))
        folded_after = await wait_for_none(url, [sa.select(IncomingPush.id)], since=sent_at)
        informed_after = await wait_for_none(url, [UNRELAYED, UNSENT], since=sent_at)
        after = read_cpu(pids | {"PostgreSQL": await backend_pids(url)})
    cpu = {name: after[name] - before[name] for name in after} | {"sending": result.cpu_seconds}
    stored, doubled = await count_new_events(url, parcels)
    waiting = await count_rows(url, sa.select(IncomingPush.id))
    return PushFigures(result, stored, doubled, waiting, backlog, folded_after, informed_after, delays, cpu)


def read_cpu(pids: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """CPU seconds of processes so far; those of another machine, and those that have ended, have none."""
    seconds = dict.fromkeys(pids, 0.0)
    for name, each in pids.items():
        for pid in each:
            with suppress(FileNotFoundError):
                seconds[name] += cpu_seconds(pid)
    return seconds


async def backend_pids(url: str) -> Sequence[int]:
    """The processes of the database server, without the one that answers this."""
    async with open_connection(url) as database:
        found = await database.scalars(
            sa.text("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() ORDER BY pid")
        )
        return [int(pid) for pid in found]


async def wait_for_none(url: str, looks: Sequence[AnySelect], *, since: float) -> float:
    """Wait until none of these finds a row; how long after `since` that was."""
    while any([await count_rows(url, look) for look in looks]):  # noqa: ASYNC110 - other processes work
        await asyncio.sleep(LOOKS_APART_SECONDS)
    return time.perf_counter() - since


def push_task(parcels: PushedParcels, plan: TrackingPlan, ports: Sequence[int]) -> PushTask:
    """A push of each parcel: what is known, and one step more, by which some are delivered."""
    usual, last = (content_of(parcels, code) for code in ("0", "301"))
    contents = [last, *[usual] * (DELIVERED_IN - 1)]
    return PushTask(ports, plan.connections, plan.rate, parcels.numbers, contents, SALT, PATH)


def content_of(parcels: PushedParcels, code: str) -> str:
    """A history whose newest event has a code, the newest first."""
    codes = {KNOWN_EVENTS + 1: code}
    data = [
        {
            "time": f"{parcels.moment(step).astimezone(BEIJING):%Y-%m-%d %H:%M:%S}",
            "context": step_text(step),
            "statusCode": codes.get(step, "0"),
        }
        for step in range(KNOWN_EVENTS + 1, 0, -1)
    ]
    result = {"nu": NUMBER, "com": "yuantong", "state": code[0], "data": data}
    param = {"status": "polling", "message": "", "lastResult": result}
    return json.dumps(param, ensure_ascii=False, separators=(",", ":"))


def send_pushes(task: PushTask) -> PushResult:
    done = subprocess.run(
        [sys.executable, "-m", "bench.push_load"],
        input=json.dumps(asdict(task)), capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the pushes failed:\n{done.stderr[-3000:]}")
    return PushResult(**json.loads(done.stdout))


async def count_rows(url: str, found: AnySelect) -> int:
    async with open_connection(url) as database:
        return await database.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0


async def oldest_waiting(url: str) -> float:
    """How long the oldest push has waited to be folded, in seconds."""
    age = sa.func.extract("epoch", sa.func.clock_timestamp() - sa.func.min(IncomingPush.received_at))
    async with open_connection(url) as database:
        return float(await database.scalar(sa.select(age)) or 0)


async def count_new_events(url: str, parcels: PushedParcels) -> tuple[int, int]:
    """How many parcels have the new event, and how many have it more than once."""
    new = TrackingEvent.description == step_text(KNOWN_EVENTS + 1)
    each = sa.select(sa.func.count().label("times")).where(new).group_by(TrackingEvent.shipment_id).subquery()
    async with open_connection(url) as database:
        row = (
            await database.execute(
                sa.select(sa.func.count(), sa.func.count().filter(each.c.times > 1)).select_from(each)
            )
        ).one()
    return row[0], row[1]


async def measure_polls(url: str, now: datetime, claims: int) -> PollFigures:
    """Two workers claim what is due, in groups as the shop does."""
    database = Database.open(url, pool_size=4)
    claimed: list[int] = []
    groups: list[float] = []
    moment = now + INTERVAL
    plan = PollPlan(CARRIER, INTERVAL)

    async def work() -> None:
        while len(claimed) < claims:
            async with database.reads() as session:
                due = (await session.scalars(due_carrier_polls(CARRIER, moment).limit(BATCH))).all()
            if not due:
                return
            for group in in_batches(due, GROUP):
                began = time.perf_counter()
                async with database.writes.begin() as session:
                    claimed.extend(await claim_polls(session, group, now=moment, plan=plan))
                groups.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(work(), work())
    seconds = time.perf_counter() - began
    statement = due_carrier_polls(CARRIER, moment).limit(BATCH)
    compiled = statement.compile(database.readers.sync_engine, compile_kwargs={"literal_binds": True})
    async with database.reads() as session:
        lines = await session.scalars(sa.text(f"EXPLAIN (ANALYZE, COSTS OFF) {compiled}"))
        shown = "\n".join(lines)
    await database.close()
    return PollFigures(claimed, groups, seconds, shown)


def find_wrong_polls(figures: PollFigures) -> str:
    if len(set(figures.claimed)) != len(figures.claimed):
        return "two workers ask about the same parcel"
    return "" if "Index Scan" in figures.plan and "Sort" not in figures.plan else figures.plan


def print_polls(figures: PollFigures) -> None:
    ordered = sorted(figures.groups)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    print(
        f"{len(figures.claimed):,} questions claimed by two workers, none twice:"
        f" {len(figures.claimed) / figures.seconds:,.0f}/s, a group of {GROUP} p50 {p50 * 1000:.1f} ms,"
        f" p99 {p99 * 1000:.1f} ms\n{figures.plan}"
    )


def find_wrong_pushes(figures: PushFigures, plan: TrackingPlan) -> str:
    """What is lost or doubled; empty where everything that was taken is there once."""
    taken = figures.result.statuses.get("200", 0)
    if (taken, figures.stored, figures.doubled, figures.waiting) == (plan.pushes, plan.pushes, 0, 0):
        return ""
    return (
        f"{taken} of {plan.pushes} were taken, {figures.stored} are stored, {figures.doubled} twice,"
        f" {figures.waiting} wait"
    )


async def find_disagreement(url: str) -> str:
    """The first row that a rule of the audit finds wrong; the copied orders have no other books."""
    async with open_connection(url) as database:
        for rule in RULES:
            if found := (await database.execute(build_rule_query(rule, limit=1))).first():
                return f"{rule}: {found}"
    return ""


def print_pushes(figures: PushFigures, plan: TrackingPlan) -> None:
    result = figures.result
    waits = sorted(result.waits)
    p50, p99, most = waits[len(waits) // 2], waits[min(len(waits) - 1, len(waits) * 99 // 100)], waits[-1]
    print(
        f"{plan.pushes:,} pushes offered at {plan.rate:,.0f}/s by {plan.connections} connections to"
        f" {plan.servers} serving: {len(waits) / result.seconds:,.0f}/s reached, answers {result.statuses},"
        f" p50 {p50 * 1000:,.0f} ms, p99 {p99 * 1000:,.0f} ms, at most {most * 1000:,.0f} ms"
    )
    taken = result.statuses.get("200", 0)
    print(
        f"  new events lost {taken - figures.stored:,}, doubled {figures.doubled}; while pushes came in the"
        f" oldest had waited {max(figures.delays, default=0):.1f} s at most; at the last answer"
        f" {figures.backlog:,} waited, all were folded {figures.folded_after:.1f} s after it, and told of"
        f" after {figures.informed_after:.1f} s"
    )
    each = {name: seconds / plan.pushes * 1000 for name, seconds in figures.cpu.items()}
    print(
        "  CPU a push: "
        + ", ".join(f"{name} {ms:.2f} ms" for name, ms in each.items())
        + f"; in all {sum(each.values()):.2f} ms, on {os.cpu_count()} cores with a load of"
        f" {', '.join(f'{load:.1f}' for load in os.getloadavg())}"
    )


if __name__ == "__main__":
    main()
