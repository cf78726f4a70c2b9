"""Settings of carriers that are reached through karrio."""

from pydantic import Field, SecretStr

from settings.group import SettingsGroup


class KarrioSettings(SettingsGroup):
    """The shop's accounts at carriers that karrio knows, by karrio's name of the carrier."""

    accounts: dict[str, dict[str, SecretStr]] = Field(
        {},
        validation_alias="KARRIO_ACCOUNTS",
        description='accounts at carriers through karrio, as JSON: {"fedex": {"api_key": "...", ...}}',
    )
    addresses: dict[str, str] = Field(
        {},
        validation_alias="KARRIO_ADDRESSES",
        description='other addresses of these carriers, as JSON: {"fedex": "https://..."}',
    )
    test_mode: bool = Field(
        False,
        validation_alias="KARRIO_TEST_MODE",
        description="whether the carriers' test systems are asked",
    )
