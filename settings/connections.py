"""How many connections a client may hold, and how slow it may be."""

from datetime import timedelta

from pydantic import Field

from settings.group import Duration, SettingsGroup


class ConnectionSettings(SettingsGroup):
    per_address: int = Field(
        500,
        ge=1,
        validation_alias="CONNECTIONS_PER_ADDRESS",
        description="connections that one address may hold to one process; trusted proxies are not counted",
    )
    live_per_address: int = Field(
        100,
        ge=1,
        validation_alias="LIVE_CONNECTIONS_PER_ADDRESS",
        description="WebSockets and event streams that one address may hold to all processes",
    )
    live_per_account: int = Field(
        50,
        ge=1,
        validation_alias="LIVE_CONNECTIONS_PER_ACCOUNT",
        description="the same for one account, whatever its addresses",
    )
    header_timeout: Duration = Field(
        timedelta(seconds=10),
        validation_alias="HEADER_TIMEOUT",
        description="how long the headers of a request may take to arrive",
    )
    body_timeout: Duration = Field(
        timedelta(seconds=30),
        validation_alias="BODY_TIMEOUT",
        description="how long the body of a request may take to arrive; uploads have more time",
    )
    body_pause: Duration = Field(
        timedelta(seconds=10),
        validation_alias="BODY_PAUSE_TIMEOUT",
        description="how long nothing of a body may arrive",
    )
    reader_timeout: Duration = Field(
        timedelta(seconds=30),
        validation_alias="READER_TIMEOUT",
        description="how long a client may read nothing of an answer",
    )
    keep_alive: Duration = Field(
        timedelta(seconds=5),
        validation_alias="KEEP_ALIVE_TIMEOUT",
        description="how long a connection stays open between two requests",
    )
