"""THE TABLE of what falls due."""

from collections.abc import Sequence

from events.aftersales import TICKETS_OVERDUE
from events.shipment import CARRIER_POLLS
from events.timers import Timer

TIMETABLE: Sequence[Timer] = (CARRIER_POLLS, TICKETS_OVERDUE)
