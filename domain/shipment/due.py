"""Shipments of which a carrier has to be asked."""

from datetime import datetime

from sqlalchemy import select

from models import Shipment
from models.sql.types import AnySelect


def due_carrier_polls(now: datetime) -> AnySelect:
    """Select the ids of shipments whose carrier is to be asked, the longest due first."""
    return select(Shipment.id).where(Shipment.poll_at <= now).order_by(Shipment.poll_at)
