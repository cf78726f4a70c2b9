"""Automatic persisted queries: a client sends the SHA-256 of its document, and the document only when asked.

The protocol is Apollo's: `extensions.persistedQuery {version: 1, sha256Hash}`. A hash alone fits into an
address, and that is what a CDN can keep answers by.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.documents import Recent

log = structlog.get_logger()

SHA256 = re.compile(r"[0-9a-f]{64}")
TEXT_LIMIT = 20_000
"""Characters of one document that is kept; a longer one is answered, but has to be sent each time."""

ENTRIES_LIMIT = 5_000
CHARACTERS_LIMIT = 10_000_000
"""Of all documents one process keeps."""

SHARED = "cartwheel:persisted"
SHARED_LIMIT = 5_000
"""Documents Redis keeps; beyond that any of them go, and their clients send them again."""

REDIS_SECONDS = 0.5
"""Redis only saves a round trip: nobody waits longer for it."""


class PersistedQueryRefused(Exception):
    """What was sent is no persisted query."""

    code = "PERSISTED_QUERY_INVALID"
    status = 400


class PersistedQueryNotFound(PersistedQueryRefused):
    """Nobody has sent the document of this hash yet: the client sends both now."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 200

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueries:
    """Documents by their hash: in this process, and in Redis for the others."""

    def __init__(self, redis: Redis | None) -> None:
        self.redis = redis
        self.near: Recent[str] = Recent(entries=ENTRIES_LIMIT, characters=CHARACTERS_LIMIT)

    async def find(self, sha256: str) -> str:
        text = self.near.get(sha256) or await self.far(sha256)
        if text is None:
            raise PersistedQueryNotFound
        self.near.keep(sha256, text, size=len(text))
        return text

    async def keep(self, sha256: str, text: str) -> None:
        """Called once a document has been found right; what is known already costs nothing."""
        if len(text) > TEXT_LIMIT or self.near.get(sha256) is not None:
            return
        self.near.keep(sha256, text, size=len(text))
        if self.redis is None:
            return
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self.redis.hset(SHARED, sha256, text)
                excess = await self.redis.hlen(SHARED) - SHARED_LIMIT
                if excess > 0 and (some := await self.redis.hrandfield(SHARED, excess)):
                    await self.redis.hdel(SHARED, *some)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("persisted.unshared", error=type(error).__name__)

    async def far(self, sha256: str) -> str | None:
        if self.redis is None:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                found = await self.redis.hget(SHARED, sha256)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("persisted.unreachable", error=type(error).__name__)
            return None
        text = found.decode() if isinstance(found, bytes) else found
        return text if text is not None and sha256_of(text) == sha256 else None


def named_hash(extensions: Mapping[str, object] | None) -> str | None:
    """The hash of a persisted query; None where the request is an ordinary one."""
    asked = (extensions or {}).get("persistedQuery")
    if asked is None:
        return None
    if not isinstance(asked, Mapping) or asked.get("version") != 1:
        raise PersistedQueryRefused("Only version 1 of persisted queries is spoken here.")
    sha256 = asked.get("sha256Hash")
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise PersistedQueryRefused("sha256Hash is not a SHA-256 in lower-case hexadecimal digits.")
    return sha256


def check_hash(sha256: str, text: str) -> None:
    if sha256_of(text) != sha256:
        raise PersistedQueryRefused("sha256Hash is not the hash of the query.")


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
