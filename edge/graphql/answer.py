"""Answers as they are sent: results and errors as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from graphql import GraphQLError
from strawberry.types import ExecutionResult

from resolvers.context import Viewer
from resolvers.errors import Message, SentenceError


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to an operation that was executed."""

    body: bytes
    """`{"data": ..., "errors": ..., "extensions": ...}` as JSON."""
    has_errors: bool = False
    version: int | None = None
    """The version of what a subscription follows, with the event that this answers."""


class OperationFailed(Exception):
    """An operation that was not executed, or not to its end: it has no data.

    `status` is that of an answer over HTTP; None where it depends on the media type of the answer.
    """

    def __init__(
        self,
        errors: Sequence[GraphQLError],
        status: int | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(errors[0].message)
        self.errors = errors
        self.status = status
        self.extensions = extensions

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the operation would be executed, where time helps."""
        seconds = (self.errors[0].extensions or {}).get("retryAfterSeconds")
        return seconds if isinstance(seconds, int) else None

    @classmethod
    def of(
        cls, message: Message, code: str, status: int | None = None, **extensions: object
    ) -> "OperationFailed":
        """A failure with one error, its code and more extensions of the error."""
        return cls([SentenceError(message, extensions={"code": code, **extensions})], status)

    def translate(self, viewer: Viewer) -> "OperationFailed":
        """The same failure, with the messages of the catalogue in the viewer's language from now on."""
        for error in self.errors:
            if isinstance(error, SentenceError):
                error.translate(viewer)
        return self

    @property
    def formatted(self) -> Sequence[Mapping[str, object]]:
        """The errors as GraphQL writes them."""
        return [error.formatted for error in self.errors]

    @property
    def body(self) -> bytes:
        """The whole answer as JSON, without `data`."""
        answer: dict[str, object] = {"errors": self.formatted}
        if self.extensions:
            answer["extensions"] = self.extensions
        return encode_json(answer)


def encode_result(result: ExecutionResult) -> bytes:
    """The result of an operation as JSON."""
    answer: dict[str, object] = {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        answer["extensions"] = result.extensions
    return encode_json(answer)


def encode_json(value: object) -> bytes:
    return orjson.dumps(value, default=str)
