"""What must be true before a process starts; what is not is one line that begins with a setting."""

from edge.start.checks import check_start
from edge.start.listeners import open_listeners
from edge.start.refusal import StartRefused

__all__ = ["StartRefused", "check_start", "open_listeners"]
