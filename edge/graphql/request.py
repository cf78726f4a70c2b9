"""What a client asks for: one operation with its variables, read from JSON or from a URL.

https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters
"""

import re
from dataclasses import dataclass
from json import JSONDecodeError

import orjson
from starlette.datastructures import Headers, QueryParams

from domain.errors import ErrorCode
from text.messages import Message

NUL = re.compile(r"\0|\\u0000|\\u\{0+\}")
"""A NUL character, plain or escaped as in JSON and GraphQL."""

KIND_NAMES = {
    "query": Message("a string"),
    "operationName": Message("a string"),
    "variables": Message("an object"),
    "extensions": Message("an object"),
}


class RequestRefused(Exception):
    """A request that is not executed, with the HTTP status and headers of its answer."""

    def __init__(
        self, message: Message, status: int = 400, *, code: str = ErrorCode.INVALID, **headers: str
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.headers = headers


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a request; `query` is empty where the document is named by its hash."""

    query: str
    operation_name: str | None = None
    variables: dict[str, object] | None = None
    extensions: dict[str, object] | None = None


def read_post(headers: Headers, body: bytes) -> GraphQLRequest:
    """The request in the body of a POST; RequestRefused (415) unless it is declared as JSON in UTF-8."""
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json":
        raise RequestRefused(
            Message("A request is sent as application/json."), 415, Accept="application/json"
        )
    charset = read_charset(parameters)
    if charset not in {"", "utf-8", "utf8"}:
        raise RequestRefused(Message("A request is encoded in UTF-8."), 415)
    return build_request(read_json(body))


def read_charset(parameters: str) -> str:
    """The charset among the parameters of a media type, in lower case; empty when there is none."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def read_query_string(parameters: QueryParams) -> GraphQLRequest:
    """The request in the URL of a GET; variables and extensions are JSON there."""
    values: dict[str, object] = {
        name: parameters[name] for name in ("query", "operationName") if name in parameters
    }
    for name in ("variables", "extensions"):
        if parameters.get(name):
            values[name] = read_json(parameters[name])
    return build_request(values)


def read_json(data: str | bytes) -> object:
    """Parse JSON; RequestRefused for NUL characters, which PostgreSQL refuses, and for lone surrogates."""
    if NUL.search(data if isinstance(data, str) else data.decode("latin-1")):
        raise RequestRefused(Message("This is not JSON that can be taken: it holds a NUL character."))
    try:
        return orjson.loads(data)
    except JSONDecodeError as error:
        raise RequestRefused(
            Message("This is not JSON that can be taken: {problem}.", problem=error.msg)
        ) from error


def build_request(value: object) -> GraphQLRequest:
    """The request that a JSON object describes; RequestRefused for anything else and wrong kinds."""
    if isinstance(value, list):
        raise RequestRefused(Message("A request is a JSON object: send each operation by itself."))
    if not isinstance(value, dict):
        raise RequestRefused(Message("A request is a JSON object."))
    query, operation_name = value.get("query"), value.get("operationName")
    variables, extensions = value.get("variables"), value.get("extensions")
    if not isinstance(query, str | None):
        raise wrong_kind("query")
    if not isinstance(operation_name, str | None):
        raise wrong_kind("operationName")
    if not isinstance(variables, dict | None):
        raise wrong_kind("variables")
    if not isinstance(extensions, dict | None):
        raise wrong_kind("extensions")
    return GraphQLRequest(query or "", operation_name or None, variables, extensions)


def wrong_kind(name: str) -> RequestRefused:
    return RequestRefused(Message("`{name}` is {kind}.", name=name, kind=KIND_NAMES[name]))


def check_address(query_string: bytes) -> None:
    """RequestRefused for an address with a NUL character."""
    text = query_string.decode("latin-1")
    if "%00" in text or NUL.search(text):
        raise RequestRefused(Message("The address holds a NUL character."))
