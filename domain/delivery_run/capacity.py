"""What parcels take up, and what fits into a vehicle."""

from collections.abc import Iterable, Sequence

from domain.delivery_run.planning import STOPS_LIMIT
from domain.errors import DomainError, ErrorCode
from models import Shipment, Vehicle
from text.messages import Message

CUBIC_CENTIMETRES_PER_LITRE = 1_000
CUBIC_MILLIMETRES_PER_CUBIC_CENTIMETRE = 1_000


class VehicleFull(DomainError):
    code = ErrorCode.LIMIT_REACHED

    def __init__(self, message: Message) -> None:
        super().__init__(message, field=("stop", "shipment_id"))


class VehicleSkillMissing(DomainError):
    code = ErrorCode.SKILL_MISSING

    def __init__(self, skills: Sequence[str]) -> None:
        super().__init__(
            "This vehicle lacks what the parcel needs: {skills}.",
            skills=", ".join(skills),
            field=("stop", "skills"),
        )


def load_of(shipment: Shipment) -> tuple[int, ...]:
    """Its weight in grams, its volume in cubic centimetres where it was measured, and one parcel."""
    size = shipment.size
    volume = size.length_mm * size.width_mm * size.height_mm if size else 0
    return (shipment.weight_grams, -(-volume // CUBIC_MILLIMETRES_PER_CUBIC_CENTIMETRE), 1)


def capacity_of(vehicle: Vehicle) -> tuple[int | None, ...]:
    """How much of each part of a load fits into a vehicle; None for as much as one likes."""
    litres = vehicle.capacity_litres
    parcels = vehicle.capacity_parcels
    return (
        vehicle.capacity_grams,
        None if litres is None else litres * CUBIC_CENTIMETRES_PER_LITRE,
        STOPS_LIMIT if parcels is None else min(parcels, STOPS_LIMIT),
    )


def check_room(vehicle: Vehicle, shipments: Iterable[Shipment]) -> None:
    """VehicleFull, by what is exceeded, where these parcels do not fit into a vehicle together."""
    grams, volume, parcels = (sum(part) for part in zip(*map(load_of, shipments), strict=True))
    most_grams, most_volume, most_parcels = capacity_of(vehicle)
    if most_grams is not None and grams > most_grams:
        raise VehicleFull(
            Message("{vehicle} carries {limit} g at most.", vehicle=vehicle.name, limit=most_grams)
        )
    if most_volume is not None and volume > most_volume:
        litres = vehicle.capacity_litres or 0
        raise VehicleFull(Message("{vehicle} holds {limit} l at most.", vehicle=vehicle.name, limit=litres))
    if most_parcels is not None and parcels > most_parcels:
        raise VehicleFull(
            Message("{vehicle} takes {limit} parcels at most.", vehicle=vehicle.name, limit=most_parcels)
        )
