"""The client of Redis that all parts of a process share."""

from redis.asyncio import BlockingConnectionPool, Redis

CONNECTIONS_LIMIT = 50
"""Connections of one process to Redis, the one of its subscriptions included."""
CONNECTION_SECONDS = 5.0
"""How long a call waits for one of the connections when all are in use; then it is a ConnectionError."""


def connect_redis(url: str, *, connections: int = CONNECTIONS_LIMIT) -> Redis:
    """A client whose calls wait for a free connection when many are made at once, instead of failing."""
    pool = BlockingConnectionPool.from_url(url, max_connections=connections, timeout=CONNECTION_SECONDS)
    return Redis.from_pool(pool)
