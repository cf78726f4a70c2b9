"""Calls to OpenSearch over the shop's own HTTP client: each with a time limit, counted, and not made while it
does not answer.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import httpx
import orjson
from pydantic import ValidationError

from gateways.calls import SEARCH, CallErrors, CallObserver
from gateways.search.opensearch.answers import Banner, EngineAnswer, EngineError
from gateways.search.protocol import SearchRefused, SearchUnavailable, UnreadableAnswer

QUERY_SECONDS = 2.0
"""How long a question may take: somebody waits for the answer."""

WRITE_SECONDS = 30.0
"""How long a write may take, and what changes an index as a whole."""

ANSWER_BYTES = 20_000_000
"""Longer answers are not read: the largest of ours is a thousandth of that."""

ERRORS = CallErrors(not_called=SearchUnavailable, too_late=SearchUnavailable, refused=SearchRefused)

DEFAULT_PREFIX = "cartwheel"

PASSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Client errors that pass by themselves."""

Body = Mapping[str, object]
AnswerT = TypeVar("AnswerT", bound=EngineAnswer)


class NotThere(SearchRefused):
    """There is no such index, alias or document."""


class NewerThere(SearchRefused):
    """Somebody has written meanwhile what this call would have overwritten."""


@dataclass(slots=True)
class SearchApi:
    """One OpenSearch as a shop uses it: all its indexes begin with `prefix`."""

    client: httpx.AsyncClient = field(repr=False)
    observer: CallObserver = field(repr=False)
    url: str = field(repr=False)
    query_seconds: float = QUERY_SECONDS
    address: str = field(init=False)
    """Scheme, host and port."""
    prefix: str = field(init=False)
    credentials: httpx.Auth | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.prefix = parts.path.strip("/") or DEFAULT_PREFIX
        name, password = unquote(parts.username or ""), unquote(parts.password or "")
        self.credentials = httpx.BasicAuth(name, password) if name else None

    async def ask(self, model: type[AnswerT], call: str, path: str, body: Body | None = None) -> AnswerT:
        """The answer to a question."""
        method = "GET" if body is None else "POST"
        return await self.call(model, call, method, path, body, seconds=self.query_seconds)

    async def change(
        self, model: type[AnswerT], call: str, method: str, path: str, body: Body | None = None
    ) -> AnswerT:
        """The answer to what changes something."""
        return await self.call(model, call, method, path, body, seconds=WRITE_SECONDS)

    async def send_lines(self, model: type[AnswerT], call: str, path: str, lines: Iterable[Body]) -> AnswerT:
        """The answer to a change of many documents, a line each."""
        content = b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)
        return await self.call(model, call, "POST", path, content, seconds=WRITE_SECONDS)

    async def call(
        self,
        model: type[AnswerT],
        call: str,
        method: str,
        path: str,
        body: Body | bytes | None,
        *,
        seconds: float,
    ) -> AnswerT:
        content = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        async with self.observer.call_partner(SEARCH, "opensearch", call, ERRORS, queue=SEARCH, seconds=None):
            try:
                async with asyncio.timeout(seconds):
                    status, answer = await self.send(method, path, content, seconds)
            except TimeoutError:
                raise SearchUnavailable(f"{call} takes longer than {seconds:g} s") from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SearchUnavailable(f"{call}: {type(error).__name__}") from error
            if not 200 <= status < 300:
                raise error_of(call, status, answer)
            try:
                return model.model_validate_json(answer)
            except ValidationError:
                raise UnreadableAnswer(f"{call}: unreadable answer") from None

    async def send(self, method: str, path: str, content: bytes | None, seconds: float) -> tuple[int, bytes]:
        """Status and body of an answer, which is read up to ANSWER_BYTES."""
        kind = "application/x-ndjson" if "/_bulk" in path else "application/json"
        request = self.client.build_request(
            method,
            f"{self.address}{path}",
            content=content,
            headers={"content-type": kind} if content is not None else None,
            timeout=seconds,
        )
        response = await self.client.send(request, auth=self.credentials, stream=True)
        try:
            received = bytearray()
            async for part in response.aiter_bytes():
                received += part
                if len(received) > ANSWER_BYTES:
                    raise SearchUnavailable("the answer is too long")
            return response.status_code, bytes(received)
        finally:
            await response.aclose()

    async def read_banner(self) -> Banner:
        """What the server says of itself."""
        return await self.ask(Banner, "banner", "/")


def error_of(call: str, status: int, answer: bytes) -> SearchUnavailable:
    """What an answer that is no success means; of its words only the kind is kept, others repeat queries."""
    kind = ""
    with suppress(ValidationError):
        kind = EngineError.model_validate_json(answer).kind
    summary = f"{call}: HTTP {status} {kind}".rstrip()
    if status == HTTPStatus.NOT_FOUND:
        return NotThere(summary)
    if status == HTTPStatus.CONFLICT:
        return NewerThere(summary)
    if 400 <= status < 500 and status not in PASSING:
        return SearchRefused(summary)
    return SearchUnavailable(summary)
