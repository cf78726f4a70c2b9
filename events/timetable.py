"""THE TABLE of what falls due."""

from collections.abc import Sequence

from events.shipment import CARRIER_POLLS
from events.timers import Timer

TIMETABLE: Sequence[Timer] = (CARRIER_POLLS,)
