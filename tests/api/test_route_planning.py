"""A plan has one time budget within that of its operation; what is beyond the limits is refused by name."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import LimitReached
from events.delivery_run.problem import PLANNING_SHARE, PlaceTable, measure_places, start_planning
from events.shop import Shop
from gateways.routing.budget import TimeBudget
from gateways.routing.insertion import solve_by_insertion
from gateways.routing.matrix import DistanceTable, StraightLines
from gateways.routing.planner import PlannersBusy, PlanningFailed, ProcessPlanner
from gateways.routing.problem import RoutingPlan, RoutingProblem, SolverName
from geo import Point
from models import DeliveryRun, Role
from resolvers.ids import global_id
from tests.api.test_vehicles import PLAN, pack_for, plan_for_one_van
from tests.clients import Clients
from tests.factories.vehicle import create_vehicle
from tests.given import id_of
from tests.observe import count_statements

pytestmark = pytest.mark.usefixtures("audit_at_end")

RUN = """
query ($id: ID!) {
  node(id: $id) {
    ... on DeliveryRun {
      status version trail { latitude }
      stops { position estimatedAt signature { url } photo { url } shipment { number order { number } } }
    }
  }
}
"""


@dataclass
class BudgetsSeen:
    """Measures along straight lines, plans in this process, and remembers the time that it was given."""

    failure: Exception | None = None
    budgets: list[TimeBudget] = field(default_factory=list)

    async def measure(self, places: Sequence[Point], budget: TimeBudget) -> DistanceTable:
        self.budgets.append(budget)
        return await StraightLines().measure(places, budget)

    async def plan(self, problem: RoutingProblem, budget: TimeBudget) -> RoutingPlan:
        self.budgets.append(budget)
        if self.failure:
            raise self.failure
        return solve_by_insertion(problem, budget)


async def count_runs(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(DeliveryRun.id))) or 0


async def test_distances_and_solver_share_a_time_that_ends_before_the_operation(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    seen = BudgetsSeen()
    shop.matrix = shop.planner = seen
    longest = PLANNING_SHARE * shop.settings.graphql.deadline.total_seconds()

    _, answer, _, _ = await plan_for_one_van(clients, shop, session)

    assert (len(answer["deliveryRuns"]), answer["userErrors"]) == (1, [])
    measured, planned = seen.budgets
    assert measured is planned
    assert 0 < measured.left <= min(longest, shop.settings.routing.planning_deadline.total_seconds())


@pytest.mark.parametrize("failure", [PlanningFailed("It took too long."), PlannersBusy()])
async def test_a_plan_that_is_not_made_in_time_is_refused_and_nothing_is_written(
    clients: Clients, shop: Shop, session: AsyncSession, failure: Exception
) -> None:
    shop.planner = BudgetsSeen(failure)

    _, answer, _, _ = await plan_for_one_van(clients, shop, session)

    assert ([error["code"] for error in answer["userErrors"]], answer["deliveryRuns"]) == (["BUSY"], None)
    assert await count_runs(shop) == 0


async def test_requests_are_answered_while_another_process_makes_a_plan(
    clients: Clients, shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    script = (
        f"import pathlib, runpy, time; pathlib.Path({str(begun)!r}).touch()\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)\n"
        "runpy.run_module('gateways.routing.worker', run_name='__main__')"
    )
    shop.planner = ProcessPlanner(solver=SolverName.BUILT_IN, command=(sys.executable, "-c", script))
    clerk, customer = await clients.staff(Role.WAREHOUSE), await clients.customer()
    planning = asyncio.create_task(plan_for_one_van(clients, shop, session))
    while not begun.exists():
        await asyncio.sleep(0.01)

    runs = await clerk.get("{ deliveryRuns { totalCount } vehicles { totalCount } }")
    products = await customer.get("{ products(first: 5) { totalCount } }")

    assert not planning.done()
    assert runs == {"deliveryRuns": {"totalCount": 0}, "vehicles": {"totalCount": 1}}
    assert products["products"]["totalCount"] == 2
    go.touch()
    _, answer, _, _ = await planning
    assert (len(answer["deliveryRuns"]), answer["unplanned"]) == (1, [])


async def test_more_parcels_than_a_plan_may_have_are_refused_before_anything_is_read(
    clients: Clients, shop: Shop
) -> None:
    clerk, limit = await clients.staff(Role.WAREHOUSE), shop.settings.routing.stops_limit
    unknown = [global_id("Shipment", 10_000 + number) for number in range(limit + 1)]

    answer = await clerk.do(PLAN, warehouseIds=[global_id("Warehouse", 1)], shipmentIds=unknown)

    assert answer["userErrors"] == [{"code": "LIMIT_REACHED", "field": ["stops"]}]


async def test_more_speeds_than_so_many_places_allow_are_refused_by_name(shop: Shop) -> None:
    shop.matrix = seen = BudgetsSeen()
    places = PlaceTable()
    for number in range(1_000):
        places.add(Point(30.0, 120.0 + number / 1_000))
    budget = start_planning(shop)

    with pytest.raises(LimitReached, match="at most 5 different speeds") as refused:
        await measure_places(shop, places, range(20, 26), budget)

    assert (refused.value.field, seen.budgets) == (("vehicle_ids",), [])


async def test_planning_and_reading_a_run_cost_the_same_however_many_stops_there_are(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    shop.planner = BudgetsSeen()

    async def cost(count: int) -> tuple[int, int, int]:
        """Statements that plan, beside those that insert stops, these, and statements that read the run."""
        parcels = await pack_for(session, shop, *[None] * count)
        van = await create_vehicle(session, parcels[0].warehouse_id)
        await session.commit()
        stops = [{"shipmentId": id_of(parcel)} for parcel in parcels]
        with count_statements(shop) as planning:
            answer = await clerk.do(PLAN, vehicleIds=[id_of(van)], stops=stops)
        assert (answer["unplanned"], answer["userErrors"]) == ([], [])
        with count_statements(shop) as reading:
            found = await clerk.get(RUN, id=answer["deliveryRuns"][0]["id"])
        assert len(found["node"]["stops"]) == count
        inserts = sum(text.startswith("INSERT INTO delivery_run_stops ") for text in planning.texts)
        return planning.total - inserts, inserts, reading.total

    def inserted(count: int) -> int:
        return count if shop.database.dialect == "sqlite" else 1  # SQLite takes such rows one by one

    assert [await cost(count) for count in (2, 9)] == [(16, inserted(count), 8) for count in (2, 9)]
