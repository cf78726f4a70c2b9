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
