from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import PlannedStop, plan_delivery_run
from models import Account, DeliveryRun, Role, Shipment
from tests.factories.account import create_account
from tests.factories.shipment import NOW

LEG_TIME = timedelta(minutes=10)


async def create_delivery_run(
    session: AsyncSession,
    shipments: Sequence[Shipment],
    *,
    courier: Account | None = None,
    now: datetime = NOW,
) -> DeliveryRun:
    """A planned run with a stop every LEG_TIME."""
    courier = courier or await create_account(session, role=Role.COURIER)
    stops = [
        PlannedStop(shipment.id, LEG_TIME, 30.0 + place, 120.0) for place, shipment in enumerate(shipments)
    ]
    return await plan_delivery_run(
        session,
        courier_id=courier.id,
        warehouse_id=shipments[0].warehouse_id,
        vehicle="bicycle",
        stops=stops,
        cause=Cause(now),
    )
