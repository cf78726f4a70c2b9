"""What the shop shows of itself to strangers."""

from pydantic import Field

from settings.group import SettingsGroup


class ExposureSettings(SettingsGroup):
    show_schema: bool | None = Field(
        None,
        validation_alias="SHOW_SCHEMA",
        description="whether introspection, GraphiQL and /schema.graphql are there, and errors suggest names;"
        " only in development when not set",
    )
