"""Subscriptions as multipart responses, as Apollo Client and its mobile siblings read them.

https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
"""

from edge.graphql.answer import OperationFailed, encode_json
from resolvers.context import Viewer
from text.messages import Message

PART = b"\r\nContent-Type: application/json\r\n\r\n%b\r\n--graphql"
"""A part with the boundary behind it: a client takes a part for whole when it has read the next boundary."""


class MultipartFormat:
    """Parts with a `payload`; where there is none, `errors` are about the connection and not of GraphQL."""

    transport = "multipart"
    content_type = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'
    opening = b"\r\n--graphql"
    keep_alive = PART % b"{}"
    ending = b"--\r\n"

    def write_answer(self, body: bytes) -> bytes:
        return PART % (b'{"payload":%b}' % body)

    def write_failure(self, failed: OperationFailed) -> bytes:
        return PART % encode_json({"payload": {"data": None, "errors": failed.formatted}})

    def write_completion(self) -> bytes:
        return b""

    def write_restart(self, milliseconds: int, viewer: Viewer) -> bytes:
        failed = OperationFailed.of(
            Message("Service restart: connect again in {milliseconds} ms.", milliseconds=str(milliseconds)),
            "SERVICE_RESTART",
            retryAfterMs=milliseconds,
        ).translate(viewer)
        return PART % encode_json({"payload": None, "errors": failed.formatted})
