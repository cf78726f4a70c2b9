"""Tables of sign-ins and their refresh tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class SignIn(Base):
    """One sign-in on one device that has not ended; it is deleted when it does.

    All tokens it is given share its `family`. An access token is refused as soon as this row is gone.
    """

    __tablename__ = "sign_ins"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    family: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    """The network address of its latest sign-in or refresh; empty where it is not known."""
    user_agent: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    """When its tokens were last refreshed."""
    expires_at: Mapped[datetime]
    """When its last refresh token expires."""


class Session(Base):
    """A refresh token; all tokens of one sign-in share a family."""

    __tablename__ = "sessions"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    family: Mapped[str] = mapped_column(index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInFailures(Base):
    """How often a sign-in was tried in a row with one e-mail address or phone number from one address.

    It is counted for unknown ones, too, so that the delay does not reveal who has an account. A stranger's
    guesses block the stranger's address, never the owner's.
    """

    __tablename__ = "sign_in_failures"

    login: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    attempts: Mapped[int]
    tried_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime]
