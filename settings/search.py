"""Settings of the search index."""

from datetime import timedelta

from pydantic import Field

from settings.group import Duration, SettingsGroup


class SearchSettings(SettingsGroup):
    """Where products are found: an index in VAR_DIR/search that follows the database."""

    followed_every: Duration = Field(
        timedelta(seconds=0.5),
        validation_alias="SEARCH_FOLLOWED_EVERY",
        description="how often each process looks for changes that the search does not show yet",
    )
    in_memory: bool = Field(
        False,
        validation_alias="SEARCH_IN_MEMORY",
        description="keeps the index in the memory of each process, brought up to date at each search",
    )
