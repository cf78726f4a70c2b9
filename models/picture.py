"""Whether a picture of the catalogue can be reached, as far as it was checked."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column


class PictureFault(StrEnum):
    """Why a picture could not be reached."""

    ADDRESS = "ADDRESS"
    """Its address is none of http or https."""
    HOST = "HOST"
    """No address is known for its host."""
    PRIVATE = "PRIVATE"
    """Its host is inside a private network, which the shop does not ask."""
    NO_ANSWER = "NO_ANSWER"
    """Its host does not answer, or not in time."""
    CERTIFICATE = "CERTIFICATE"
    """Its host has no valid certificate."""
    REDIRECTS = "REDIRECTS"
    """Its address leads from one to the next."""
    NOT_FOUND = "NOT_FOUND"
    """It is not there."""
    REFUSED = "REFUSED"
    """Its host refuses to show it."""
    SERVER_FAULT = "SERVER_FAULT"
    """Its host fails."""
    NOT_A_PICTURE = "NOT_A_PICTURE"
    """What is there is no picture."""


class PictureCheckColumns:
    """The columns of what is known from checks of a picture."""

    check_at: Mapped[datetime | None]
    """When it is to be checked again; None before the first time."""
    checked_at: Mapped[datetime | None]
    """When its last check has ended; of one under way, when it will have ended at the latest."""
    check_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many checks in a row have failed."""
    check_fault: Mapped[PictureFault | None]
    """Why the last check failed; None where it did not, and before the first one."""
    unreachable_since: Mapped[datetime | None]
    """When so many checks in a row had failed that it counts as unreachable; None where it does not."""


PICTURE_CHECK_INDEXES = (
    Index("ix_media_check_at_id", "check_at", "id"),
    Index(
        "ix_media_checked_at",
        "checked_at",
        sqlite_where=text("checked_at IS NOT NULL"),
        postgresql_where=text("checked_at IS NOT NULL"),
    ),
    Index(
        "ix_media_unreachable_since",
        "unreachable_since",
        sqlite_where=text("unreachable_since IS NOT NULL"),
        postgresql_where=text("unreachable_since IS NOT NULL"),
    ),
)
"""Of what is due, of what was checked lately, and of the few that cannot be reached."""
