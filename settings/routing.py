"""Settings of the runs of the shop's own couriers."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from settings.group import Duration, SettingsGroup


def _split_names(value: object) -> object:
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return value


def _check_skills(skills: tuple[str, ...]) -> tuple[str, ...]:
    if len(skills) > 100 or any(not 1 <= len(skill) <= 50 for skill in skills):
        raise ValueError("are at most 100 names of 1 to 50 characters, such as HEAVY,FRAGILE")
    return skills


Skills = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_names), AfterValidator(_check_skills)]


class RoutingSettings(SettingsGroup):
    """How runs are planned, and what couriers may report."""

    road_factor: float = Field(
        1.4,
        ge=1,
        le=5,
        validation_alias="ROUTE_ROAD_FACTOR",
        description="how many times longer streets are than straight lines, where no road service is asked",
    )
    osrm_address: str = Field(
        "",
        pattern=r"^(https?://[^/]+)?$",
        validation_alias="OSRM_ADDRESS",
        description="server of OSRM whose table service knows distances by road; none when empty",
    )
    osrm_places: int = Field(
        100,
        ge=2,
        le=10_000,
        validation_alias="OSRM_PLACES_LIMIT",
        description="places that one request may name there: its --max-table-size",
    )
    service_time: Duration = Field(
        timedelta(minutes=4),
        validation_alias="ROUTE_SERVICE_TIME",
        description="how long a courier is at a door, where nobody says otherwise",
    )
    speed_kmh: int = Field(
        20,
        ge=1,
        le=130,
        validation_alias="ROUTE_SPEED_KMH",
        description="how fast couriers drive whose vehicle is not known",
    )
    planning_time: Duration = Field(
        timedelta(seconds=6),
        validation_alias="ROUTE_PLANNING_TIME",
        description="how long a plan of many stops is improved at most",
    )
    planning_deadline: Duration = Field(
        timedelta(seconds=14),
        validation_alias="ROUTE_PLANNING_DEADLINE",
        description="how long a whole plan may take, distances included; 70 % of OPERATION_DEADLINE at most",
    )
    planners: int = Field(
        1,
        ge=1,
        le=64,
        validation_alias="ROUTE_PLANNERS",
        description="processes of each server that plan runs at the same time",
    )
    planners_waiting: int = Field(
        10,
        ge=0,
        le=1_000,
        validation_alias="ROUTE_PLANS_WAITING",
        description="plans that may wait for such a process; further ones are refused as BUSY",
    )
    stops_limit: int = Field(
        1_000, ge=1, le=1_000, validation_alias="ROUTE_STOPS_LIMIT", description="parcels of one plan"
    )
    run_stalls_after: Duration = Field(
        timedelta(hours=2),
        validation_alias="RUN_STALLS_AFTER",
        description="how long after its next stop was expected the staff are told that a run does not go on",
    )
    draft_lifetime: Duration = Field(
        timedelta(hours=2),
        validation_alias="DRAFT_RUN_ENDS_AFTER",
        description="a draft of a run that no courier has taken ends so long after it should have left",
    )
    skills: Skills = Field(
        ("AGE_CHECK", "COLD_CHAIN", "FRAGILE", "HEAVY"),
        validation_alias="COURIER_SKILLS",
        description="what couriers and vehicles may be able to do: names, separated by commas",
    )
    courier_speed_limit: int = Field(
        200,
        ge=1,
        validation_alias="COURIER_SPEED_LIMIT_KMH",
        description="a courier who would have been faster between two positions is not believed",
    )
    positions_kept: Duration = Field(
        timedelta(days=1),
        le=timedelta(days=30),
        validation_alias="COURIER_POSITIONS_KEPT",
        description="positions of couriers are deleted after this time, 30d at most",
    )
