"""What is due at each carrier: one queue for each, so that one that hangs holds up no other."""

from collections.abc import Sequence
from functools import partial

from domain.aftersales.return_parcel import due_return_polls
from domain.shipment.due import due_carrier_polls, select_called_carriers
from domain.shipment.waybills import due_waybill_calls
from events.return_parcel import poll_return, poll_returns
from events.shipment.booking import call_about_waybill
from events.shipment.polling import poll_parcel, poll_parcels
from events.types import Resources, Timer
from gateways.measured import queue_of
from models import CarrierCode


def carrier_timers(code: CarrierCode) -> Sequence[Timer]:
    """What falls due at one carrier."""
    return (
        Timer(
            "shipment.waybill",
            due=partial(due_waybill_calls, code),
            act=call_about_waybill,
            partner=queue_of(code),
        ),
        Timer(
            "shipment.poll",
            due=partial(due_carrier_polls, code),
            act=partial(poll_parcel, code),
            act_on_group=partial(poll_parcels, code),
            partner=queue_of(code),
        ),
        Timer(
            "return.poll",
            due=partial(due_return_polls, code),
            act=partial(poll_return, code),
            act_on_group=partial(poll_returns, code),
            partner=queue_of(code),
        ),
    )


async def list_called_carriers(resources: Resources) -> Sequence[CarrierCode]:
    """The codes of all carriers that are called; archived ones still have parcels under way."""
    async with resources.database.reads() as session:
        return (await session.scalars(select_called_carriers())).all()
