"""Settings of payments by Alipay."""

from pathlib import Path

from pydantic import Field, field_validator

from settings.group import SettingsGroup


class AlipaySettings(SettingsGroup):
    """The shop's app at Alipay; without one of them, ALIPAY is not offered."""

    app_id: str = Field(
        "",
        pattern=r"^\d{0,32}$",
        validation_alias="ALIPAY_APP_ID",
        description="id of the shop's app at Alipay",
    )
    seller_id: str = Field(
        "",
        pattern=r"^(2088\d{12})?$",
        validation_alias="ALIPAY_SELLER_ID",
        description="the shop's account at Alipay, 16 digits that begin with 2088",
    )
    private_key_file: Path | None = Field(
        None,
        validation_alias="ALIPAY_PRIVATE_KEY_FILE",
        description="the app's private key (RSA2), PEM or the base64 that Alipay's key tool writes",
    )
    public_key_files: str = Field(
        "",
        validation_alias="ALIPAY_PUBLIC_KEY_FILES",
        description="Alipay's public key; several files, separated by commas, while it changes",
    )
    gateway: str = Field(
        "https://openapi.alipay.com/gateway.do",
        validation_alias="ALIPAY_GATEWAY",
        description="address of Alipay's gateway",
    )

    @field_validator("gateway")
    @classmethod
    def _check_gateway(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("an address that begins with https:// or http://")
        return url

    @property
    def private_keys(self) -> list[Path]:
        return [self.private_key_file] if self.private_key_file else []

    @property
    def public_keys(self) -> list[Path]:
        return [Path(name.strip()) for name in self.public_key_files.split(",") if name.strip()]

    @property
    def missing(self) -> list[str]:
        """The variables that have to be set before ALIPAY is offered."""
        values = {
            "ALIPAY_APP_ID": self.app_id,
            "ALIPAY_SELLER_ID": self.seller_id,
            "ALIPAY_PRIVATE_KEY_FILE": self.private_keys,
            "ALIPAY_PUBLIC_KEY_FILES": self.public_keys,
        }
        return [name for name, value in values.items() if not value]
