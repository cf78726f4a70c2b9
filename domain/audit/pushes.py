"""Pushes of carriers that wait to be folded, against the newest event of the shop."""

from datetime import timedelta

from sqlalchemy import literal

from domain.audit.comparison import is_long_past, select_rows
from models import IncomingPush
from models.sql.types import AnySelect

FOLDED_WITHIN = timedelta(hours=1)
"""Longer than all attempts at one that cannot be folded take."""


def find_forgotten_pushes() -> AnySelect:
    """Pushes that still wait although the shop has recorded an event FOLDED_WITHIN after they were due."""
    return select_rows(
        IncomingPush.tracking_number, expected=literal("folded"), found=literal("waits")
    ).where(is_long_past(IncomingPush.due_at, FOLDED_WITHIN))
