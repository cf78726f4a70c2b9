"""Shipments of which a carrier has to be asked."""

from datetime import datetime

from sqlalchemy import select

from models import CONNECTION_TERMS, Carrier, CarrierCode, Shipment
from models.sql.types import AnySelect

UNCALLED = [each for each, terms in CONNECTION_TERMS.items() if terms.shortest_poll is None]
"""Connections at which nothing is ever due."""


def due_carrier_polls(carrier: CarrierCode, now: datetime) -> AnySelect:
    """Select the ids of shipments about which a carrier is to be asked, the longest due first."""
    return (
        select(Shipment.id)
        .where(Shipment.carrier == carrier, Shipment.poll_at <= now)
        .order_by(Shipment.poll_at)
    )


def select_called_carriers() -> AnySelect:
    """Select the codes of all carriers that are called; archived ones still have parcels under way."""
    return select(Carrier.code).where(Carrier.connection.not_in(UNCALLED)).order_by(Carrier.id)
