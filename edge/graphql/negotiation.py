"""Which media type an answer has: what the client accepts, and what can be sent (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

ACCEPT_LIMIT = 50
"""Media ranges read from one `Accept`; further ones are ignored."""

ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
PARAMETER = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*")+')


class MediaType(StrEnum):
    """The forms of an answer."""

    JSON = "application/json"
    RESPONSE_JSON = "application/graphql-response+json"
    EVENT_STREAM = "text/event-stream"
    MULTIPART = "multipart/mixed"


SINGLE = (MediaType.JSON, MediaType.RESPONSE_JSON, MediaType.EVENT_STREAM)
"""What a query or mutation can be answered with; the first where the client has no preference."""

STREAMS = (MediaType.EVENT_STREAM, MediaType.MULTIPART)
"""What a subscription can be answered with; never where only a wildcard accepts it."""


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One element of `Accept`, such as `application/*;q=0.5`."""

    name: str
    weight: float
    subscription_spec: str
    """Apollo's parameter, by which a client says that it reads subscriptions as multipart."""

    def matches(self, available: MediaType) -> int:
        """How exactly the range names a type: 3 by its name, 2 by `type/*`, 1 by `*/*`, 0 not at all."""
        if self.name == available:
            return 0 if available is MediaType.MULTIPART and self.subscription_spec != "1.0" else 3
        if available in STREAMS:
            return 0
        if self.name == f"{available.partition('/')[0]}/*":
            return 2
        return 1 if self.name == "*/*" else 0


def read_accept(header: str) -> list[MediaRange]:
    """The media ranges of an `Accept` header in their order; `*/*` for an empty one."""
    elements = ELEMENT.findall(header)[:ACCEPT_LIMIT]
    ranges = [read_range(element) for element in elements if element.strip()]
    return ranges or [MediaRange("*/*", 1.0, "")]


def read_range(element: str) -> MediaRange:
    name, *parameters = [part.strip() for part in PARAMETER.findall(element)]
    values = {}
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        values[key.strip().lower()] = value.strip().strip('"')
    return MediaRange(name.lower(), read_weight(values.get("q", "1")), values.get("subscriptionspec", ""))


def read_weight(text: str) -> float:
    """A weight from 0 to 1; 0 when it is malformed or out of range."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def choose_media_type(ranges: Sequence[MediaRange], available: Sequence[MediaType]) -> MediaType | None:
    """The available type of the highest weight, of equal ones the first named; None when all are refused."""
    best: tuple[float, int] | None = None
    chosen = None
    for media_type in available:
        exactness, place = max(
            ((accepted.matches(media_type), -index) for index, accepted in enumerate(ranges)), default=(0, 0)
        )
        weight = ranges[-place].weight if exactness else 0.0
        if weight > 0 and (best is None or (weight, place) > best):
            best, chosen = (weight, place), media_type
    return chosen


def prefers_html(header: str) -> bool:
    """Whether a browser asks for a page: `text/html` is named, and no form of an answer before it."""
    names = [accepted.name for accepted in read_accept(header) if accepted.weight > 0]
    forms = [names.index(each) for each in MediaType if each in names]
    return "text/html" in names and names.index("text/html") < min(forms, default=len(names))
