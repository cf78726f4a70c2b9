"""The tables of verifications by one-time codes, of second factors and of device tokens."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id


class VerificationPurpose(StrEnum):
    """What a one-time code is good for."""

    REGISTRATION = "REGISTRATION"
    """Creating an account."""
    CONTACT_CHANGE = "CONTACT_CHANGE"
    """Making an e-mail address or phone number one's own."""
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - no password
    """Setting a new password without the old one."""
    EXPORT = "EXPORT"
    """Downloading one's personal data, by a link and without a code."""


class Verification(Base):
    """A one-time code that was sent to a contact, and what may be done with it.

    The code itself is stored nowhere: it follows from the shop's key, the purpose, the contact and `nonce`.
    """

    __tablename__ = "verifications"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(unique=True)
    """The hash of the token that whoever asked was given: the code is worth nothing without it."""
    purpose: Mapped[VerificationPurpose]
    contact: Mapped[str]
    nonce: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    """Who asked for it while signed in; None otherwise."""
    tries: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    name: Mapped[str | None]
    """The name of an account to be registered; so are the next two."""
    password_hash: Mapped[str | None]
    language: Mapped[str | None]


class TotpSecret(Base):
    """The secret that an authenticator app shares with the shop (RFC 6238), encrypted."""

    __tablename__ = "totp_secrets"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    encrypted_secret: Mapped[str]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """Since when a code is asked for at sign-in; None until the first right code was entered."""
    last_step: Mapped[int] = mapped_column(BigId)
    """The time step of the last code that was accepted; codes of this step and before are refused."""


class RecoveryCode(Base):
    """A code that stands in for the authenticator app, once."""

    __tablename__ = "recovery_codes"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    used_at: Mapped[datetime | None]


class DeviceToken(Base):
    """Where push notices of a sign-in go; it is deleted with its sign-in."""

    __tablename__ = "device_tokens"

    id: Mapped[Id]
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    token: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
