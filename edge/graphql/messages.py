"""The messages of graphql-transport-ws, validated one by one.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from dataclasses import dataclass

from edge.graphql.answer import OperationFailed, encode_json
from edge.graphql.request import GraphQLRequest, RequestRefused, build_request, read_json

PROTOCOL = "graphql-transport-ws"

BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
PROTOCOL_NOT_ACCEPTABLE = 4406
INIT_TIMEOUT = 4408
ALREADY_EXISTS = 4409
TOO_MANY_INITS = 4429
MESSAGE_TOO_BIG = 1009
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
"""Close codes: of the protocol, and of RFC 6455 and its registry."""

REASON_BYTES = 123
"""The longest reason that fits into a close frame (RFC 6455, 5.5)."""

Payload = dict[str, object]


class SocketClosed(Exception):
    """What a client did is answered by closing its socket, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    payload: Payload


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Payload | None


@dataclass(frozen=True, slots=True)
class Pong:
    """An answer to a ping of ours, or unasked; either says nothing new."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


def read_message(text: str) -> ClientMessage:
    """The message in a frame; SocketClosed (4400) for anything that the protocol does not know."""
    try:
        value = read_json(text)
    except RequestRefused as refused:
        raise SocketClosed(BAD_REQUEST, str(refused)) from refused
    if not isinstance(value, dict):
        raise SocketClosed(BAD_REQUEST, "A message is a JSON object.")
    match value.get("type"):
        case "connection_init":
            return ConnectionInit(read_payload(value) or {})
        case "ping":
            return Ping(read_payload(value))
        case "pong":
            read_payload(value)
            return Pong()
        case "subscribe":
            return Subscribe(read_id(value), read_request(value))
        case "complete":
            return Complete(read_id(value))
        case str():
            raise SocketClosed(BAD_REQUEST, "A client sends no message of this type.")
        case _:
            raise SocketClosed(BAD_REQUEST, "A message has a type.")


def read_id(message: Payload) -> str:
    value = message.get("id")
    if not isinstance(value, str) or not value:
        raise SocketClosed(BAD_REQUEST, "The id of a message is a non-empty string.")
    return value


def read_payload(message: Payload) -> Payload | None:
    value = message.get("payload")
    if not isinstance(value, dict | None):
        raise SocketClosed(BAD_REQUEST, "The payload of this message is an object.")
    return value


def read_request(message: Payload) -> GraphQLRequest:
    """The request in the payload of `subscribe`; only one that is named by its hash has no query."""
    payload = message.get("payload")
    if not isinstance(payload, dict):
        raise SocketClosed(BAD_REQUEST, "The payload of this message is an object.")
    try:
        request = build_request(payload)
    except RequestRefused as refused:
        raise SocketClosed(BAD_REQUEST, str(refused)) from refused
    if not isinstance(payload.get("query"), str) and not request.extensions:
        raise SocketClosed(BAD_REQUEST, "The payload of this message has a query.")
    return request


ACK = b'{"type":"connection_ack"}'


def write_pong(payload: Payload | None) -> bytes:
    return encode_json({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})


@dataclass(frozen=True, slots=True)
class SocketFormat:
    """The messages about one operation."""

    operation_id: str

    def write_answer(self, body: bytes) -> bytes:
        return b'{"id":%b,"type":"next","payload":%b}' % (encode_json(self.operation_id), body)

    def write_failure(self, failed: OperationFailed) -> bytes:
        return encode_json({"id": self.operation_id, "type": "error", "payload": failed.formatted})

    def write_completion(self) -> bytes:
        return encode_json({"id": self.operation_id, "type": "complete"})
