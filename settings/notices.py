"""Settings of notices: e-mail, SMS and push."""

import base64
import binascii
from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, model_validator

from settings.group import SettingsGroup

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of secrets, no secret


class SmtpSecurity(StrEnum):
    """How the connection to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class NoticeSettings(SettingsGroup):
    """Where notices are handed over; in development they are written to the log where nothing is set."""

    shop_name: str = Field(
        "Cartwheel",
        min_length=1,
        max_length=60,
        pattern=r"^[^\r\n]*$",
        validation_alias="SHOP_NAME",
        description="name of the shop in notices and authenticator apps",
    )
    smtp_host: str | None = Field(
        None, validation_alias="SMTP_HOST", description="mail server that takes e-mail notices"
    )
    smtp_port: int = Field(
        587, ge=1, le=65535, validation_alias="SMTP_PORT", description="port of the mail server"
    )
    smtp_security: SmtpSecurity = Field(
        SmtpSecurity.STARTTLS,
        validation_alias="SMTP_SECURITY",
        description="starttls, tls, or none within a private network",
    )
    smtp_user: str = Field("", validation_alias="SMTP_USER", description="user name at the mail server")
    smtp_password: SecretStr = Field(
        SecretStr(""), validation_alias="SMTP_PASSWORD", description="password at the mail server"
    )
    mail_from: str = Field(
        "no-reply@localhost",
        pattern=r"^[^\s@]+@[^\s@]+$",
        validation_alias="MAIL_FROM",
        description="address that e-mail notices come from",
    )
    webhook_url: str | None = Field(
        None,
        validation_alias="NOTICE_WEBHOOK_URL",
        description="URL that SMS and push notices are posted to; e-mail, too, without SMTP_HOST",
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias="NOTICE_WEBHOOK_SECRET",
        description="signs what is posted: whsec_ and base64, as standardwebhooks.com has it",
    )

    @model_validator(mode="after")
    def _check_webhook(self) -> Self:
        if self.webhook_url is None:
            return self
        if not self.webhook_url.startswith(("https://", "http://")):
            raise ValueError("NOTICE_WEBHOOK_URL must begin with https:// or http://")
        encoded = self.webhook_secret.get_secret_value().removeprefix(SECRET_PREFIX)
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) < 24:
            raise ValueError("NOTICE_WEBHOOK_SECRET must be whsec_ and the base64 of 24 bytes or more")
        return self
