"""What a carrier answers over the wire during a call, for whoever records it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class WireAnswer:
    """The last answer of a call, which may take several requests."""

    status_code: int | None = None
    body: bytes = b""
    """Of the last one that is an object; not of labels and pages."""


FOLLOWED: ContextVar[WireAnswer | None] = ContextVar("answer_of_carrier", default=None)


@contextmanager
def follow_wire() -> Iterator[WireAnswer]:
    """What is answered within the block, filled in as it comes."""
    answer = WireAnswer()
    token = FOLLOWED.set(answer)
    try:
        yield answer
    finally:
        FOLLOWED.reset(token)


def note_wire(status_code: int, body: bytes) -> None:
    """Tell whoever follows what was answered; a connection that does not call this has no status and body."""
    if (answer := FOLLOWED.get()) is not None:
        answer.status_code = status_code
        if body.lstrip()[:1] == b"{":
            answer.body = body
