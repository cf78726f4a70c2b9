"""Pushes of carriers that wait to be folded, against the newest event of the shop."""

from datetime import timedelta

from sqlalchemy import literal, select

from domain.audit.comparison import select_rows
from models import Event, IncomingPush
from models.sql.dialects import epoch_seconds
from models.sql.types import AnySelect

FOLDED_WITHIN = timedelta(hours=1)
"""Longer than all attempts at one that cannot be folded take."""


def find_forgotten_pushes() -> AnySelect:
    """Pushes that still wait although the shop has recorded an event FOLDED_WITHIN after they were due."""
    newest = select(epoch_seconds(Event.occurred_at)).order_by(Event.id.desc()).limit(1).scalar_subquery()
    seconds = int(FOLDED_WITHIN.total_seconds())
    return select_rows(
        IncomingPush.tracking_number, expected=literal("folded"), found=literal("waits")
    ).where(epoch_seconds(IncomingPush.due_at) < newest - seconds)
