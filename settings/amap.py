"""Settings of AMap, the geocoder."""

from pydantic import Field, SecretStr

from settings.group import SettingsGroup


class AmapSettings(SettingsGroup):
    """The shop's key at AMap; without it no address is looked up, and places are the centres of districts."""

    key: SecretStr = Field(
        SecretStr(""),
        validation_alias="AMAP_KEY",
        description="key of AMap's web service, which finds addresses",
    )
    signing_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="AMAP_SIGNING_KEY",
        description="private key that signs what AMap is asked, where its key asks for that",
    )
    address: str = Field(
        "https://restapi.amap.com",
        pattern=r"^https?://[^/]+$",
        validation_alias="AMAP_ADDRESS",
        description="where AMap is asked",
    )
