"""Persisted operations: a client sends the SHA-256 of its document, and the document only when it is unknown.

The protocol is Apollo's automatic persisted queries: `extensions.persistedQuery {version: 1, sha256Hash}`.
A hash fits into a URL, so that a CDN can cache the answer. What the operator has registered is known always;
with PERSISTED_ONLY nothing else is executed.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from edge.operations.registered import RegisteredOperations
from schema.compiled_documents import RecentlyUsed
from text.messages import Message

log = structlog.get_logger()

SHA256 = re.compile(r"[0-9a-f]{64}")
DOCUMENT_LIMIT = 20_000
"""Characters of a document that is saved; a longer one is executed, but has to be sent each time."""

ENTRIES_LIMIT = 5_000
CHARACTERS_LIMIT = 10_000_000
"""Of all documents that one process keeps."""

REDIS_KEY = "cartwheel:persisted"
REDIS_ENTRIES_LIMIT = 5_000
"""Documents kept in Redis; beyond that, random ones are deleted and their clients send them again."""

REDIS_SECONDS = 0.5
"""Time-out of Redis, which only saves the client a round trip."""


class PersistedOperationRefused(Exception):
    """The `persistedQuery` extension is malformed, or its hash is not that of the document."""

    code = "PERSISTED_QUERY_INVALID"
    status = 400

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class PersistedOperationNotFound(PersistedOperationRefused):
    """No document has this hash; the client then sends both."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 200

    def __init__(self) -> None:
        super().__init__(Message("PersistedQueryNotFound"))  # clients look for this word


class OperationNotRegistered(PersistedOperationRefused):
    """The shop executes registered operations only, and this is none."""

    code = "OPERATION_NOT_REGISTERED"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            Message("This shop executes registered operations only, and this one is not registered.")
        )


class PersistedOperations:
    """Documents by their hash: registered ones, and those that clients sent, in this process and in Redis."""

    def __init__(
        self, redis: Redis | None, registered: RegisteredOperations, *, registered_only: bool
    ) -> None:
        self.redis = redis
        self.registered = registered
        self.registered_only = registered_only
        self.local: RecentlyUsed[str] = RecentlyUsed(entries=ENTRIES_LIMIT, characters=CHARACTERS_LIMIT)

    async def find_document(self, text: str, extensions: Mapping[str, object] | None) -> str:
        """Return the document of a request: its text, or the one that its hash stands for.

        `text` is empty where the request names none. Raises PersistedOperationRefused for a wrong hash, an
        unknown one, and what is not registered where only that is executed.
        """
        sha256 = requested_hash(extensions)
        if sha256 and text:
            check_hash(sha256, text)
        if self.registered_only:
            return await self.find_registered(sha256 or sha256_of(text))
        return text if text or sha256 is None else await self.find(sha256)

    async def find_registered(self, sha256: str) -> str:
        """Return the registered document; OperationNotRegistered when there is none."""
        text = await self.registered.find(sha256)
        if text is None:
            raise OperationNotRegistered
        return text

    async def find(self, sha256: str) -> str:
        """Return the document; PersistedOperationNotFound when nobody has registered or sent it."""
        text = self.local.get(sha256) or await self.registered.find(sha256) or await self._find_shared(sha256)
        if text is None:
            raise PersistedOperationNotFound
        self.local.add(sha256, text, size=len(text))
        return text

    async def save(self, sha256: str, text: str) -> None:
        """Save a valid document that a client has sent, unless it is saved already, too long or refused."""
        if self.registered_only or len(text) > DOCUMENT_LIMIT or self.local.get(sha256) is not None:
            return
        self.local.add(sha256, text, size=len(text))
        if self.redis is None:
            return
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self.redis.hset(REDIS_KEY, sha256, text)
                excess = await self.redis.hlen(REDIS_KEY) - REDIS_ENTRIES_LIMIT
                if excess > 0 and (deleted := await self.redis.hrandfield(REDIS_KEY, excess)):
                    await self.redis.hdel(REDIS_KEY, *deleted)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("persisted_operation.share_failed", error=type(error).__name__)

    async def _find_shared(self, sha256: str) -> str | None:
        """Return the document that Redis has; None when it has none or does not answer."""
        if self.redis is None:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                stored = await self.redis.hget(REDIS_KEY, sha256)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("persisted_operation.lookup_failed", error=type(error).__name__)
            return None
        text = stored.decode() if isinstance(stored, bytes) else stored
        return text if text is not None and sha256_of(text) == sha256 else None


def requested_hash(extensions: Mapping[str, object] | None) -> str | None:
    """Return the hash in the extensions, if there is one; PersistedOperationRefused when it is malformed."""
    extension = (extensions or {}).get("persistedQuery")
    if extension is None:
        return None
    if not isinstance(extension, Mapping) or extension.get("version") != 1:
        raise PersistedOperationRefused(Message("Only version 1 of persisted queries is spoken here."))
    sha256 = extension.get("sha256Hash")
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise PersistedOperationRefused(
            Message("sha256Hash is not a SHA-256 in lower-case hexadecimal digits.")
        )
    return sha256


def check_hash(sha256: str, text: str) -> None:
    """PersistedOperationRefused unless `sha256` is the hash of `text`."""
    if sha256_of(text) != sha256:
        raise PersistedOperationRefused(Message("sha256Hash is not the hash of the query."))


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
