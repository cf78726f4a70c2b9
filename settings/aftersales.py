"""Settings for what customers ask the shop."""

from pydantic import Field

from settings.group import SettingsGroup


class AftersalesSettings(SettingsGroup):
    """Who may ask the shop something, and how much."""

    guests_ask: bool = Field(
        True,
        validation_alias="GUESTS_ASK",
        description="guests open questions about their orders; what they claim they always open",
    )
    open_questions_limit: int = Field(
        10,
        ge=0,
        le=100,
        validation_alias="OPEN_QUESTIONS_LIMIT",
        description="questions about no order that a customer has open at once; 0: only the staff write them",
    )
    questions_per_day: int = Field(
        20,
        ge=0,
        validation_alias="QUESTIONS_PER_DAY",
        description="questions about no order that a customer asks within 24 hours",
    )
