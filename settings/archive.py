"""Settings of the archive of events."""

from datetime import timedelta

from pydantic import Field

from settings.group import Duration, SettingsGroup

SHORTEST_AGE = timedelta(days=1)
"""Nobody who follows events is so far behind: subscriptions look for them at least every BELL_PAUSE."""


class ArchiveSettings(SettingsGroup):
    """When the events of finished orders, parcels, tickets, carts and delivery runs are archived."""

    events_archived_after: Duration = Field(
        timedelta(days=90),
        ge=SHORTEST_AGE,
        validation_alias="EVENTS_ARCHIVED_AFTER",
        description="events of what is final move to the archive; a subscription no longer replays them",
    )
    interval: Duration = Field(
        timedelta(hours=1),
        validation_alias="EVENTS_ARCHIVED_EVERY",
        description="how often events to archive are looked for",
    )
