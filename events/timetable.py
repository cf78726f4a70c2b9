"""THE TABLE of what falls due."""

from collections.abc import Sequence

from events.timers import Timer

TIMETABLE: Sequence[Timer] = ()
