"""Error responses in the form that GraphQL over HTTP gives them."""

from starlette.responses import JSONResponse


def error_response(message: str, code: str, status: int, **headers: str) -> JSONResponse:
    """A response with one error: `{"errors": [{"message": ..., "extensions": {"code": ...}}]}`.

    A 401 names the scheme of authentication, as RFC 9110 (15.5.2) requires.
    """
    if status == 401:
        headers = {"WWW-Authenticate": "Bearer"} | headers
    return JSONResponse(
        {"errors": [{"message": message, "extensions": {"code": code}}]}, status, headers=headers
    )
