"""Settings of SF Express."""

from pydantic import Field, SecretStr

from settings.group import SettingsGroup


class SfExpressSettings(SettingsGroup):
    """The shop's account at SF Express; without number and check word nothing is asked there."""

    partner_id: str = Field(
        "", validation_alias="SF_EXPRESS_PARTNER_ID", description="the shop's number at SF's open platform"
    )
    check_word: SecretStr = Field(
        SecretStr(""),
        validation_alias="SF_EXPRESS_CHECK_WORD",
        description="secret that signs what SF is asked",
    )
    push_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="SF_EXPRESS_PUSH_KEY",
        description="random text that ends the address SF pushes to, ?key=...; without it no push is taken",
    )
    address: str = Field(
        "https://sfapi.sf-express.com",
        pattern=r"^https?://[^/]+$",
        validation_alias="SF_EXPRESS_ADDRESS",
        description="where SF is asked; its sandbox is https://sfapi-sbox.sf-express.com",
    )

    @property
    def missing(self) -> list[str]:
        """The variables that have to be set before SF is asked anything."""
        values = {
            "SF_EXPRESS_PARTNER_ID": self.partner_id,
            "SF_EXPRESS_CHECK_WORD": self.check_word.get_secret_value(),
        }
        return [name for name, value in values.items() if not value]
