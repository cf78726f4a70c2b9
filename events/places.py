"""A geocoder is asked where new addresses, deliveries and warehouses are, with no transaction open."""

from functools import partial

import structlog

from domain.address.geocoding import (
    GeocodedModel,
    due_geocoding,
    postpone_geocoding,
    read_question,
    store_answer,
)
from events.types import Resources, Timer
from gateways.geocoder import GEOCODER, GeocoderError, MeasuredGeocoder
from models import Address, Delivery, Warehouse

log = structlog.get_logger()


async def locate_row(model: GeocodedModel, resources: Resources, row_id: int) -> None:
    """Ask where a stored place is and keep the answer; without one the place is asked about later."""
    now, geocoder = resources.clock(), resources.geocoder
    async with resources.database.reads() as session:
        question = await read_question(session, model, row_id, now=now)
    if question is None or geocoder is None:
        return
    try:
        found = await MeasuredGeocoder(geocoder, resources.calls).locate(question)
    except GeocoderError as error:
        log.warning("geocoder.failed", table=model.__tablename__, row=row_id, error=str(error))
        async with resources.database.writes.begin() as session:
            await postpone_geocoding(session, model, row_id, now=resources.clock())
        return
    async with resources.database.writes.begin() as session:
        await store_answer(session, model, row_id, question, found)


def geocoding_timer(model: GeocodedModel) -> Timer:
    """What finds the rows of a table about which the geocoder is to be asked."""
    return Timer(
        f"{model.__tablename__}.geocode",
        due=partial(due_geocoding, model),
        act=partial(locate_row, model),
        partner=GEOCODER,
    )


UNLOCATED_PLACES = tuple(geocoding_timer(model) for model in (Delivery, Address, Warehouse))
