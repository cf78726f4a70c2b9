"""GraphQL over server-sent events, by the protocol of graphql-sse.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from dataclasses import dataclass

from edge.graphql.answer import OperationFailed, encode_json
from resolvers.context import Viewer

FRAME = b"event: %b\ndata: %b\n\n"
"""Lines end with LF only: urql divides a stream at two LF and at nothing else that the standard allows."""

COMMENT = b":\n\n"


class EventFormat:
    """An event stream, and the answers of one operation on it ("distinct connections mode")."""

    transport = "sse"
    content_type = "text/event-stream; charset=utf-8"
    opening = COMMENT
    keep_alive = COMMENT
    ending = b""

    def write_answer(self, body: bytes) -> bytes:
        return FRAME % (b"next", body)

    def write_failure(self, failed: OperationFailed) -> bytes:
        return self.write_answer(failed.body) + self.write_completion()

    def write_completion(self) -> bytes:
        # An EventSource ignores events without data, so there is an empty line of it.
        return b"event: complete\ndata:\n\n"

    def write_restart(self, milliseconds: int, viewer: Viewer) -> bytes:
        return b"retry: %d\n\n" % milliseconds


@dataclass(frozen=True, slots=True)
class SharedEventFormat:
    """One of the operations of a client on one event stream ("single connection mode")."""

    operation_id: str

    def write_answer(self, body: bytes) -> bytes:
        return FRAME % (b"next", b'{"id":%b,"payload":%b}' % (encode_json(self.operation_id), body))

    def write_failure(self, failed: OperationFailed) -> bytes:
        return self.write_answer(failed.body) + self.write_completion()

    def write_completion(self) -> bytes:
        return FRAME % (b"complete", encode_json({"id": self.operation_id}))
