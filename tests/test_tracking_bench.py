"""The bench of tracking in small: what is pushed is stored once, and what is claimed is claimed once."""

from datetime import UTC, datetime
from pathlib import Path

from bench.tracking import (
    INTERVAL,
    TrackingPlan,
    analyze,
    build_stage,
    find_disagreement,
    find_wrong_polls,
    find_wrong_pushes,
    measure_polls,
    measure_pushes,
)
from bench.tracking_stage import add_polled_parcels
from tests.servers import PostgresServer

SMALL = TrackingPlan(pushes=40, rate=100, connections=4, polled=2_000, claims=200)


async def test_pushes_are_stored_once_and_parcels_are_claimed_once(
    new_postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    parcels = await build_stage(new_postgres_url, tmp_path, SMALL.pushes)
    figures = await measure_pushes(new_postgres_url, tmp_path, parcels, SMALL)

    assert find_wrong_pushes(figures, SMALL) == ""
    assert await find_disagreement(new_postgres_url) == ""
    now = datetime.now(UTC)
    await add_polled_parcels(new_postgres_url, SMALL.polled, now=now, interval=INTERVAL)
    await analyze(new_postgres_url)
    polls = await measure_polls(new_postgres_url, now, SMALL.claims)

    assert find_wrong_polls(polls) == ""
    assert len(polls.claimed) >= SMALL.claims
