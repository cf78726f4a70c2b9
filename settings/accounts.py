"""Settings of accounts, sign-ins and one-time codes."""

from datetime import timedelta

from pydantic import Field

from settings.group import Duration, SettingsGroup


class AccountSettings(SettingsGroup):
    """How accounts are protected."""

    rights_lifetime: Duration = Field(
        timedelta(seconds=2),
        validation_alias="RIGHTS_REMEMBERED",
        description="how long a process remembers what a sign-in may do; a change elsewhere is seen then",
    )
    totp_required: bool = Field(
        False,
        validation_alias="STAFF_TOTP_REQUIRED",
        description="whether staff without an authenticator app may do nothing but set one up",
    )
    exports_per_day: int = Field(
        5,
        ge=1,
        validation_alias="ACCOUNT_EXPORTS_PER_DAY",
        description="exports of personal data that one account may ask for in a day",
    )
    guest_retention: Duration = Field(
        timedelta(days=365),
        validation_alias="GUEST_DATA_KEPT",
        description="how long a guest's order is opened by its secret, and the guest's data is kept",
    )
    courier_access: Duration = Field(
        timedelta(hours=24),
        validation_alias="COURIER_ACCESS_KEPT",
        description="how long couriers see the parcels of a delivery run after it has ended",
    )
    readings_kept: Duration = Field(
        timedelta(days=365),
        validation_alias="READINGS_KEPT",
        description="how long it is known which of the staff has read whose personal data",
    )
    codes_per_pair: int = Field(
        5,
        ge=1,
        validation_alias="CODES_PER_PAIR",
        description="one-time codes an hour that one network address may send to one contact",
    )
    codes_per_address: int = Field(
        20,
        ge=1,
        validation_alias="CODES_PER_ADDRESS",
        description="one-time codes an hour that one network address may send",
    )
    codes_per_contact: int = Field(
        20,
        ge=1,
        validation_alias="CODES_PER_CONTACT",
        description="one-time codes an hour that are sent to one contact",
    )
