"""Settings of the operations that clients may execute."""

from pydantic import Field

from settings.group import SettingsGroup


class OperationSettings(SettingsGroup):
    persisted_only: bool = Field(
        False,
        validation_alias="PERSISTED_ONLY",
        description="executes only operations that `cartwheel operations add` has registered",
    )
