"""When parcels arrive: estimated from finished parcels of their lane, with a range."""

from domain.shipment.eta.durations import DurationShares, blend, prior_for
from domain.shipment.eta.estimate import estimate_arrival
from domain.shipment.eta.journeys import build_step
from domain.shipment.eta.lanes import Journey, JourneyStep, ParcelLane, measure_journey
from domain.shipment.eta.refresh import ARRIVAL_COLUMNS, is_expected, refresh_arrivals
from domain.shipment.eta.statistics import count_journeys, due_journeys

__all__ = [
    "ARRIVAL_COLUMNS",
    "DurationShares",
    "Journey",
    "JourneyStep",
    "ParcelLane",
    "blend",
    "build_step",
    "count_journeys",
    "due_journeys",
    "estimate_arrival",
    "is_expected",
    "measure_journey",
    "prior_for",
    "refresh_arrivals",
]
