"""Shipments of which a carrier has to be asked."""

from datetime import datetime

from sqlalchemy import select

from models import CarrierCode, Shipment
from models.sql.types import AnySelect


def due_carrier_polls(carrier: CarrierCode, now: datetime) -> AnySelect:
    """Select the ids of shipments about which a carrier is to be asked, the longest due first."""
    return (
        select(Shipment.id)
        .where(Shipment.carrier == carrier, Shipment.poll_at <= now)
        .order_by(Shipment.poll_at)
    )
