"""How long operations may run, how large answers may be, and what one connection may do."""

from datetime import timedelta

from pydantic import Field

from settings.group import Duration, SettingsGroup


class GraphQLSettings(SettingsGroup):
    """Limits of operations and of the connections they arrive on."""

    deadline: Duration = Field(
        timedelta(seconds=20),
        validation_alias="OPERATION_DEADLINE",
        description="an operation that takes longer is stopped, in the database, too",
    )
    answer_bytes: int = Field(
        5_000_000,
        ge=1_000,
        validation_alias="ANSWER_LIMIT_BYTES",
        description="largest answer to an operation",
    )
    message_bytes: int = Field(
        1_000_000,
        ge=1_000,
        validation_alias="SOCKET_MESSAGE_LIMIT_BYTES",
        description="largest message that a WebSocket may send",
    )
    init_timeout: Duration = Field(
        timedelta(seconds=8),
        validation_alias="SOCKET_INIT_TIMEOUT",
        description="a WebSocket that does not initialise its connection in this time is closed",
    )
    operations: int = Field(
        100,
        ge=1,
        validation_alias="CONNECTION_OPERATIONS_LIMIT",
        description="operations that one WebSocket or event stream may run at the same time",
    )
    queue_bytes: int = Field(
        1_000_000,
        ge=1_000,
        validation_alias="SEND_QUEUE_LIMIT_BYTES",
        description="how much may wait for a client that reads slowly",
    )
    reader_patience: Duration = Field(
        timedelta(seconds=5),
        validation_alias="SLOW_READER_PATIENCE",
        description="how long a subscription waits for a client that does not read before it ends",
    )
    send_timeout: Duration = Field(
        timedelta(seconds=20),
        validation_alias="SEND_TIMEOUT",
        description="a connection is closed when its client has read nothing for this long",
    )
    keep_alive: Duration = Field(
        timedelta(seconds=12),
        validation_alias="STREAM_KEEP_ALIVE",
        description="how often a quiet event stream is kept open by a comment",
    )
    rights_interval: Duration = Field(
        timedelta(seconds=2),
        validation_alias="RIGHTS_CHECK_EVERY",
        description="how often the sign-ins of open connections are looked up",
    )
    reconnect_spread: Duration = Field(
        timedelta(seconds=5),
        validation_alias="RECONNECT_SPREAD",
        description="over which time clients reconnect after a restart, each after a time of its own",
    )
