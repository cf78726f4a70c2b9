"""Settings of the search index."""

import re
from datetime import timedelta

from pydantic import Field, SecretStr, field_validator

from settings.group import Duration, SettingsGroup
from settings.system import split_url

PREFIX = re.compile("[a-z0-9][a-z0-9_-]{0,49}")
"""What names of indexes may begin with."""


class SearchSettings(SettingsGroup):
    """Where products are found: an index in VAR_DIR/search, or in OpenSearch, that follows the database."""

    url: SecretStr = Field(
        SecretStr(""),
        validation_alias="SEARCH_URL",
        description="https://user:password@host:9200/prefix: an OpenSearch that holds the index, in place of"
        " VAR_DIR/search; names of indexes begin with the prefix (cartwheel, unless one is given)",
    )

    timeout: Duration = Field(
        timedelta(seconds=2),
        validation_alias="SEARCH_TIMEOUT",
        description="how long a question to SEARCH_URL may take; then the search is unavailable",
    )
    followed_every: Duration = Field(
        timedelta(seconds=0.5),
        validation_alias="SEARCH_FOLLOWED_EVERY",
        description="how often each process looks for changes that the search does not show yet",
    )
    meaning: bool = Field(
        True,
        validation_alias="SEARCH_MEANING",
        description="finds articles by the meaning of sentences, too, where the extra `meaning` is installed",
    )
    in_memory: bool = Field(
        False,
        validation_alias="SEARCH_IN_MEMORY",
        description="keeps the index in the memory of each process, brought up to date at each search",
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        if not (text := url.get_secret_value()):
            return url
        parts = split_url(text)
        prefix = parts.path.strip("/")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be https://host:9200/prefix or https://user:password@host:9200/prefix")
        if prefix and not PREFIX.fullmatch(prefix):
            raise ValueError("must have a prefix of lower-case letters, digits, - and _ behind the host")
        return url

    @property
    def at_each_search(self) -> bool:
        """Whether the index is in memory, where nobody keeps it up to date between searches."""
        return self.in_memory and not self.url.get_secret_value()
