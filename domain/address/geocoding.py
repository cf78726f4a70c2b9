"""Asking a geocoder where a stored place is: which places are asked about, and what becomes of the answer."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address.parts import PostalAddress
from domain.place import geocode_time, is_near
from geo import Point
from models import Address, AddressColumns, CoordinateSource, Delivery, Warehouse
from models.sql.types import AnySelect

TRIES_LIMIT = 6
FIRST_PAUSE = timedelta(minutes=1)
"""Each further pause is four times as long: a geocoder may be away for a day."""

GEOCODED = (Address, Delivery, Warehouse)
GeocodedRow = Address | Delivery | Warehouse
GeocodedModel = type[Address] | type[Delivery] | type[Warehouse]


@dataclass(frozen=True, slots=True)
class GeocodeQuestion:
    """A place that a geocoder is asked about: where it is, and nothing about who is there."""

    province: str
    city: str
    district: str
    line1: str

    @property
    def area(self) -> tuple[str, str, str]:
        return self.province, self.city, self.district


def write_address(
    session: AsyncSession, row: AddressColumns, postal: PostalAddress, *, now: datetime
) -> None:
    """Write an address into a row; a geocoder is asked about it where one is connected and can say more."""
    for name, value in asdict(postal).items():
        setattr(row, name, value)
    row.geocode_at, row.geocode_tries = geocode_time(session, postal, now=now), 0


def due_geocoding(model: GeocodedModel, now: datetime) -> AnySelect:
    """Select the ids of rows about which a geocoder is to be asked, the longest due first."""
    return select(model.id).where(model.geocode_at <= now).order_by(model.geocode_at)


async def read_question(
    session: AsyncSession, model: GeocodedModel, row_id: int, *, now: datetime
) -> GeocodeQuestion | None:
    """What is to be asked about a row; None where nothing is, any more."""
    row = await find_row(session, model, row_id)
    if row is None or row.geocode_at is None or row.geocode_at > now:
        return None
    return question_of(row)


async def find_row(
    session: AsyncSession, model: GeocodedModel, row_id: int, *, lock: bool = False
) -> GeocodedRow | None:
    row = await session.get(model, row_id, with_for_update=lock, populate_existing=True)
    return row if isinstance(row, GEOCODED) else None


def question_of(row: GeocodedRow) -> GeocodeQuestion:
    return GeocodeQuestion(row.province, row.city, row.district, row.line1)


async def store_answer(
    session: AsyncSession,
    model: GeocodedModel,
    row_id: int,
    question: GeocodeQuestion,
    found: Point | None,
) -> None:
    """Keep where a place is, if it is still the place that was asked about and the answer can be right.

    Without an answer it stays at the centre of its district. What the client says is never replaced.
    """
    row = await find_row(session, model, row_id, lock=True)
    if row is None or row.geocode_at is None or question_of(row) != question:
        return
    row.geocode_at = None
    if found and is_near(found, question.area) and row.coordinate_source is not CoordinateSource.CLIENT:
        row.latitude, row.longitude = found.latitude, found.longitude
        row.coordinate_source = CoordinateSource.GEOCODER


async def postpone_geocoding(
    session: AsyncSession, model: GeocodedModel, row_id: int, *, now: datetime
) -> None:
    """Ask again later, ever more rarely; after TRIES_LIMIT tries the centre of the district is enough."""
    row = await find_row(session, model, row_id, lock=True)
    if row is None or row.geocode_at is None:
        return
    row.geocode_tries += 1
    pause = FIRST_PAUSE * 4 ** (row.geocode_tries - 1)
    row.geocode_at = None if row.geocode_tries >= TRIES_LIMIT else now + pause
