"""Distances: straight lines with a factor, the road service, and what serves while that does not answer."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from bench.provider_servers.osrm.server import DETOUR, Server, create_server
from gateways.routing.budget import start_budget
from gateways.routing.matrix import MatrixSource, MatrixUnavailable, MatrixWithFallback, StraightLines
from gateways.routing.osrm import OsrmMatrix
from geo import Point, distance_km

PLACES = [Point(31.2 + step / 50, 121.4 + step % 7 / 60) for step in range(120)]
ADDRESS = "http://osrm.test"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def roads(server: Server) -> AsyncIterator[OsrmMatrix]:
    transport = httpx.ASGITransport(create_server(server))
    async with httpx.AsyncClient(transport=transport) as client:
        yield OsrmMatrix(client, ADDRESS)


async def test_straight_lines_are_longer_by_a_factor() -> None:
    table = await StraightLines(1.5).measure(PLACES[:3], start_budget(60.0))

    assert table.source is MatrixSource.STRAIGHT_LINES
    assert table.metres[0][2] == table.metres[2][0] == round(1_500 * distance_km(PLACES[0], PLACES[2]))
    assert table.seconds_at(36)[0][2] == round(table.metres[0][2] / 10)


async def test_roads_are_asked_at_once_for_few_places(server: Server, roads: OsrmMatrix) -> None:
    table = await roads.measure(PLACES[:3], start_budget(60.0))

    assert (table.source, server.sizes) == (MatrixSource.ROADS, [3])
    assert table.metres[0][2] == pytest.approx(1_000 * DETOUR * distance_km(PLACES[0], PLACES[2]), abs=1)
    assert table.seconds_at(100)[0][2] == pytest.approx(table.metres[0][2] / 10, abs=1)
    assert table.seconds_at(18)[0][2] == pytest.approx(table.metres[0][2] / 5, abs=1)


async def test_many_places_are_asked_in_blocks_of_the_limit(server: Server, roads: OsrmMatrix) -> None:
    table = await roads.measure(PLACES, start_budget(60.0))

    assert (len(server.sizes), max(server.sizes)) == (9, 100)
    for a, b in ((0, 119), (60, 3), (119, 118)):
        expected = 1_000 * DETOUR * distance_km(PLACES[a], PLACES[b])
        assert table.metres[a][b] == pytest.approx(expected, abs=1)


async def test_places_that_no_road_joins_are_joined_by_a_straight_line(
    server: Server, roads: OsrmMatrix
) -> None:
    server.faults.append("no road")

    table = await roads.measure(PLACES[:3], start_budget(60.0))

    assert table.metres[0][2] == round(1_400 * distance_km(PLACES[0], PLACES[2]))


@pytest.mark.parametrize("fault", ["error", "nonsense", "short", "negative"])
async def test_straight_lines_serve_while_the_road_service_fails(
    server: Server, roads: OsrmMatrix, fault: str
) -> None:
    server.faults.append(fault)

    table = await MatrixWithFallback(roads, StraightLines()).measure(PLACES[:3], start_budget(60.0))
    again = await MatrixWithFallback(roads, StraightLines()).measure(PLACES[:3], start_budget(60.0))

    assert table.source is MatrixSource.STRAIGHT_LINES
    assert table.note.startswith("The road service ")
    assert (again.source, again.note) == (MatrixSource.ROADS, "")


async def test_one_block_that_fails_leaves_no_table_of_two_kinds(server: Server, roads: OsrmMatrix) -> None:
    server.faults += ["none"] * 5 + ["error"]

    table = await MatrixWithFallback(roads, StraightLines()).measure(PLACES, start_budget(60.0))

    assert len(server.sizes) >= 5
    assert (table.source, table.note) == (MatrixSource.STRAIGHT_LINES, "The road service answers with 503.")
    assert table == replace(await StraightLines().measure(PLACES, start_budget(60.0)), note=table.note)


async def test_a_block_that_hangs_leaves_time_for_straight_lines(server: Server, roads: OsrmMatrix) -> None:
    server.faults += ["none", "hang"]

    table = await MatrixWithFallback(roads, StraightLines()).measure(PLACES, start_budget(1.0))

    assert (table.source, table.note) == (MatrixSource.STRAIGHT_LINES, "The road service takes too long.")


async def test_a_road_service_that_is_down_is_left_alone(server: Server, roads: OsrmMatrix) -> None:
    server.faults.append("down")
    for _ in range(10):
        with pytest.raises(MatrixUnavailable):
            await roads.measure(PLACES[:2], start_budget(60.0))

    assert roads.breaker.is_paused
