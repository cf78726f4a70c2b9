"""Settings of kuaidi100, through which most carriers of China are reached."""

from pydantic import Field, SecretStr

from settings.group import SettingsGroup


class Kuaidi100Settings(SettingsGroup):
    """The shop's account at kuaidi100; without key, customer and salt nothing is asked there."""

    key: SecretStr = Field(
        SecretStr(""), validation_alias="KUAIDI100_KEY", description="authorisation key of kuaidi100"
    )
    customer: str = Field(
        "", validation_alias="KUAIDI100_CUSTOMER", description="customer number at kuaidi100"
    )
    secret: SecretStr = Field(
        SecretStr(""),
        validation_alias="KUAIDI100_SECRET",
        description="secret of kuaidi100 for waybills; without it none are booked there",
    )
    salt: SecretStr = Field(
        SecretStr(""),
        validation_alias="KUAIDI100_SALT",
        description="random text that signs what kuaidi100 pushes, at least 16 characters",
    )
    partner_keys: dict[str, SecretStr] = Field(
        {},
        validation_alias="KUAIDI100_PARTNER_KEYS",
        description='passwords of customer numbers at carriers, as JSON: {"number": "password"}',
    )
    tracking_address: str = Field(
        "https://poll.kuaidi100.com",
        pattern=r"^https?://[^/]+$",
        validation_alias="KUAIDI100_TRACKING_ADDRESS",
        description="where kuaidi100 is asked about parcels",
    )
    waybill_address: str = Field(
        "https://api.kuaidi100.com",
        pattern=r"^https?://[^/]+$",
        validation_alias="KUAIDI100_WAYBILL_ADDRESS",
        description="where kuaidi100 books waybills",
    )

    @property
    def missing(self) -> list[str]:
        """The variables that have to be set before kuaidi100 is asked anything."""
        values = {
            "KUAIDI100_KEY": self.key.get_secret_value(),
            "KUAIDI100_CUSTOMER": self.customer,
            "KUAIDI100_SALT": self.salt.get_secret_value(),
        }
        return [name for name, value in values.items() if not value]
