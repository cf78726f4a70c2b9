"""Settings of what customers send back."""

from datetime import timedelta

from pydantic import Field

from settings.group import Duration, SettingsGroup


class ReturnSettings(SettingsGroup):
    """How long parcels that come back may take, and how often customers may change their minds."""

    seen_within: Duration = Field(
        timedelta(days=5),
        validation_alias="RETURN_SEEN_WITHIN",
        description="a return that its carrier has not had by then is a task, from when its number was given",
    )
    inspected_within: Duration = Field(
        timedelta(days=3),
        validation_alias="RETURN_INSPECTED_WITHIN",
        description="a return that nobody has inspected by then is a task, from when the warehouse has it",
    )
    corrections: int = Field(
        5,
        ge=0,
        validation_alias="RETURN_CORRECTIONS",
        description="how often customers may give another number for what they send back",
    )
    collections: int = Field(
        3,
        ge=0,
        validation_alias="RETURN_COLLECTIONS",
        description="how often customers may have the goods of a ticket collected by a carrier",
    )
