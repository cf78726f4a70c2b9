"""Carriers are asked what carrying would cost and when it would arrive: all at once, in limited time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.shipment.carrier_calls import CarrierCallSubject
from domain.shipment.carrier_rates import find_rate, rates_of
from domain.shipment.choice import QuotedTerms
from domain.shipment.pickup import PickupTime, next_collection
from events.shipment.parcels import account_of, parcel_of
from events.shipment.recorded import CallJournal, gateway_of, subject_of_parcel
from events.types import Resources
from gateways.carrier.protocol import (
    Booking,
    CarrierError,
    CarrierQuote,
    CarrierRefused,
    PickupWindow,
)
from loaders.shipment import load_routes
from models import Carrier, CarrierCode

QUOTE_SECONDS = 8.0
"""How long one carrier may take: whoever asks waits for the slowest."""
NOT_CONNECTED = "It is not connected."
NO_ANSWER_IN_TIME = "It has not answered in time."


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """What one carrier has answered."""

    carrier: Carrier
    quotes: Sequence[CarrierQuote] = ()
    error: str | None = None
    """Why it quotes nothing."""


async def ask_quotes(
    resources: Resources,
    carriers: Sequence[Carrier],
    shipment_ids: Sequence[int],
    pickup: PickupTime | None = None,
    *,
    by: int | None = None,
    seconds: float = QUOTE_SECONDS,
) -> list[QuoteAnswer]:
    """What each of these carriers asks for parcels on one waybill; one that does not answer says why."""
    found = await load_routes(resources.database.reads, shipment_ids)
    routes = [found[each] for each in shipment_ids if each in found]
    if not routes:
        return []
    parcels = [parcel_of(route) for route in routes]
    place = parcels[0].receiver
    window = PickupWindow(pickup.begins_at, pickup.ends_at) if pickup else None
    now = resources.clock().astimezone(resources.settings.locale.zone)
    bookings = [
        Booking(
            reference="",
            account=account_of(carrier),
            parcels=parcels,
            pickup=window,
            leaves_at=window.ends_at if window else next_collection(carrier, now),
            rate=find_rate(rates_of(carrier), place.country_code, place.province),
        )
        for carrier in carriers
    ]
    async with CallJournal(resources, by) as journal:
        return await asyncio.gather(
            *(
                ask_quote(journal, carrier, booking, subject_of_parcel(routes[0]), seconds)
                for carrier, booking in zip(carriers, bookings, strict=True)
            )
        )


async def ask_quote(
    journal: CallJournal, carrier: Carrier, booking: Booking, subject: CarrierCallSubject, seconds: float
) -> QuoteAnswer:
    """What one carrier answers within its time."""
    gateway = gateway_of(journal.resources, carrier)
    if gateway is None:
        return QuoteAnswer(carrier, error=NOT_CONNECTED)
    try:
        async with asyncio.timeout(seconds):
            return QuoteAnswer(carrier, await journal.follow(gateway, subject).quote(booking))
    except (CarrierError, CarrierRefused) as error:
        return QuoteAnswer(carrier, error=str(error))
    except TimeoutError:
        return QuoteAnswer(carrier, error=NO_ANSWER_IN_TIME)


def best_terms(answers: Sequence[QuoteAnswer]) -> Mapping[CarrierCode, QuotedTerms]:
    """What each carrier asks for the service that is booked there, else for its cheapest one."""
    terms = {}
    for answer in answers:
        booked = [each for each in answer.quotes if each.service == answer.carrier.service]
        best = booked or sorted(answer.quotes, key=lambda each: each.price.minor)
        if best:
            terms[answer.carrier.code] = QuotedTerms(best[0].price, best[0].promised_at)
    return terms
