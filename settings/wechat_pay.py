"""Settings of WeChat Pay (API v3)."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from settings.group import Duration, SettingsGroup

API_KEY_BYTES = 32
PUBLIC_KEY_ID_PREFIX = "PUB_KEY_ID_"


class WeChatPaySettings(SettingsGroup):
    """The merchant's numbers and keys; WeChat Pay is off while one of the necessary ones is missing."""

    url: str = Field(
        "https://api.mch.weixin.qq.com",
        pattern=r"^https?://[^/?#]+$",
        validation_alias="WECHAT_PAY_URL",
        description="address of WeChat Pay, without a path",
    )
    timeout: Duration = Field(
        timedelta(seconds=10),
        validation_alias="WECHAT_PAY_TIMEOUT",
        description="how long WeChat Pay may take to answer",
    )
    merchant_id: str = Field(
        "", pattern=r"^\d*$", validation_alias="WECHAT_PAY_MERCHANT_ID", description="merchant number (mchid)"
    )
    app_id: str = Field(
        "",
        pattern=r"^\w*$",
        validation_alias="WECHAT_PAY_APP_ID",
        description="app id of the official account or mini program",
    )
    mobile_app_id: str = Field(
        "",
        pattern=r"^\w*$",
        validation_alias="WECHAT_PAY_MOBILE_APP_ID",
        description="app id of the shop's own app; the channel APP is off without it",
    )
    certificate_serial: str = Field(
        "",
        pattern=r"^[0-9A-Fa-f]*$",
        validation_alias="WECHAT_PAY_CERTIFICATE_SERIAL",
        description="serial number of the merchant's certificate",
    )
    private_key_file: Path | None = Field(
        None,
        validation_alias="WECHAT_PAY_PRIVATE_KEY_FILE",
        description="file with the merchant's private key (apiclient_key.pem)",
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="WECHAT_PAY_API_KEY",
        description="APIv3 key of 32 characters, which decrypts notices and certificates",
    )
    public_key_id: str = Field(
        "",
        validation_alias="WECHAT_PAY_PUBLIC_KEY_ID",
        description="id of WeChat Pay's public key, PUB_KEY_ID_...; without it certificates are used",
    )
    public_key_file: Path | None = Field(
        None,
        validation_alias="WECHAT_PAY_PUBLIC_KEY_FILE",
        description="file with WeChat Pay's public key (pub_key.pem)",
    )

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        key = self.api_key.get_secret_value().encode()
        if key and len(key) != API_KEY_BYTES:
            raise ValueError(f"WECHAT_PAY_API_KEY must have {API_KEY_BYTES} bytes")
        if self.public_key_id and not self.public_key_id.startswith(PUBLIC_KEY_ID_PREFIX):
            raise ValueError(f"WECHAT_PAY_PUBLIC_KEY_ID must begin with {PUBLIC_KEY_ID_PREFIX}")
        if bool(self.public_key_id) != (self.public_key_file is not None):
            raise ValueError("WECHAT_PAY_PUBLIC_KEY_ID and WECHAT_PAY_PUBLIC_KEY_FILE belong together")
        return self

    @property
    def missing(self) -> list[str]:
        """The necessary settings that have no value, by environment variable."""
        necessary = {
            "WECHAT_PAY_MERCHANT_ID": self.merchant_id,
            "WECHAT_PAY_APP_ID": self.app_id,
            "WECHAT_PAY_CERTIFICATE_SERIAL": self.certificate_serial,
            "WECHAT_PAY_PRIVATE_KEY_FILE": self.private_key_file,
            "WECHAT_PAY_API_KEY": self.api_key.get_secret_value(),
        }
        return [name for name, value in necessary.items() if not value]
