"""GraphQL over server-sent events, by the protocol of graphql-sse.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from edge.graphql.answer import OperationFailed, encode_json

FRAME = b"event: %b\ndata: %b\n\n"
"""Lines end with LF only: urql divides a stream at two LF and at nothing else that the standard allows."""


class EventFormat:
    """One operation on a connection of its own ("distinct connections mode")."""

    transport = "sse"
    content_type = "text/event-stream; charset=utf-8"
    opening = b":\n\n"
    keep_alive = b":\n\n"
    ending = b""

    def write_answer(self, body: bytes) -> bytes:
        return FRAME % (b"next", body)

    def write_failure(self, failed: OperationFailed) -> bytes:
        return FRAME % (b"next", failed.body)

    def write_completion(self) -> bytes:
        # An EventSource ignores events without data, so there is an empty line of it.
        return b"event: complete\ndata:\n\n"

    def write_restart(self, milliseconds: int) -> bytes:
        return b"retry: %d\n\n" % milliseconds


class SharedEventFormat:
    """The operations of a client on one connection ("single connection mode"): each event names its own."""

    def write_answer(self, operation_id: str, body: bytes) -> bytes:
        return FRAME % (b"next", b'{"id":%b,"payload":%b}' % (encode_json(operation_id), body))

    def write_failure(self, operation_id: str, failed: OperationFailed) -> bytes:
        return self.write_answer(operation_id, failed.body)

    def write_completion(self, operation_id: str) -> bytes:
        return FRAME % (b"complete", encode_json({"id": operation_id}))
