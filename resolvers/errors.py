"""The shop's refusals as clients see them."""

from collections.abc import Mapping

from graphql import GraphQLError
from strawberry.utils.str_converters import to_camel_case

from domain.errors import REFUSALS_LIMIT, DomainError, ErrorCode
from gateways.hashing import HashingBusy
from gateways.search import SearchUnavailable
from resolvers.context import Viewer
from text.messages import Message

__all__ = [
    "REFUSALS",
    "REFUSALS_LIMIT",
    "DomainError",
    "ErrorCode",
    "Message",
    "SentenceError",
    "path_of",
    "refusal_of",
    "translate_error",
]

REFUSALS = (DomainError, HashingBusy, SearchUnavailable)
"""What a resolver raises to refuse, as opposed to failing."""


class TooManyHashes(DomainError):
    """Passwords are hashed one after the other, and too many wait."""

    code = ErrorCode.BUSY

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("Too many people are signing in just now. Please try again in a moment.")
        self.retry_after_seconds = retry_after_seconds


class NothingSearchable(DomainError):
    """What lists and searches are answered by is away, or is being built."""

    code = ErrorCode.PROVIDER_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The search does not answer at the moment. Try again.")


def refusal_of(error: Exception) -> DomainError:
    """The refusal that one of REFUSALS is to a client."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, SearchUnavailable):
        return NothingSearchable()
    return TooManyHashes(getattr(error, "retry_after_seconds", 1.0))


def path_of(error: DomainError) -> list[str]:
    """The path of the argument a refusal is about, as clients spell it."""
    return [to_camel_case(str(part)) for part in error.field]


class SentenceError(GraphQLError):
    """An error of GraphQL whose message is one of the catalogue; it is in English until it is translated."""

    def __init__(self, sentence: Message, *, extensions: Mapping[str, object] | None = None) -> None:
        super().__init__(str(sentence), extensions=dict(extensions or {}))
        self.sentence = sentence

    def translate(self, viewer: Viewer) -> None:
        self.message = viewer.text_of(self.sentence)


def translate_error(error: GraphQLError, viewer: Viewer) -> None:
    """Put the message into the viewer's language, where it is one of the catalogue."""
    if isinstance(error, SentenceError):
        error.translate(viewer)
    elif isinstance(error.original_error, REFUSALS):
        error.message = viewer.text_of(refusal_of(error.original_error).message)
