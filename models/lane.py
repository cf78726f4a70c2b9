from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class LaneStatistic(Base):
    """How long finished parcels of a lane took: counts by duration, of which older ones weigh less."""

    __tablename__ = "lane_statistics"

    key: Mapped[str] = mapped_column(primary_key=True)
    """The lane, how exactly it is described, and what was measured; domain/shipment/eta/lanes.py makes it."""
    counts: Mapped[list[float]]
    """By the index of the duration; as of `counted_at`."""
    counted_at: Mapped[datetime]
