"""Error responses in the form that GraphQL over HTTP gives them."""

from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from edge.reader import text_for
from text.messages import Message


class ErrorResponse(JSONResponse):
    """A response with one error, worded when it is sent: for the reader of the request it answers."""

    def __init__(self, message: Message, code: str, status: int, headers: Mapping[str, str]) -> None:
        self.message = message
        self.code = code
        super().__init__(describe_error(str(message), code), status, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.body:  # a HEAD is answered without
            self.body = self.render(describe_error(text_for(scope, self.message), self.code))
            self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def describe_error(text: str, code: str) -> dict[str, object]:
    return {"errors": [{"message": text, "extensions": {"code": code}}]}


def error_response(message: Message, code: str, status: int, **headers: str) -> ErrorResponse:
    """A response with one error: `{"errors": [{"message": ..., "extensions": {"code": ...}}]}`.

    A 401 names the scheme of authentication, as RFC 9110 (15.5.2) requires.
    """
    if status == 401:
        headers = {"WWW-Authenticate": "Bearer"} | headers
    return ErrorResponse(message, code, status, headers)
