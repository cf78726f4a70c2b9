"""Asking a running shop from the command line, as somebody's app would."""

from typing import Any

import httpx

WAIT_SECONDS = 30.0
SIGN_IN = """
mutation ($login: String!, $password: String!) {
  sessionCreate(input: { login: $login, password: $password }) {
    session { accessToken }
    userErrors { message }
  }
}
"""


class NoAnswer(Exception):
    """The shop is not there, or does not let us in."""


def ask(
    address: str, document: str, *, login: str | None = None, password: str = "", headers: dict[str, str]
) -> dict[str, Any]:
    """The whole answer to a document, asked as a guest or, with `login`, as somebody."""
    with httpx.Client(base_url=address, timeout=WAIT_SECONDS, headers=headers) as http:
        try:
            if login:
                http.headers["Authorization"] = f"Bearer {sign_in(http, login, password)}"
            return answer(http, document)
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswer(f"{address} does not answer: {error}") from error


def sign_in(http: httpx.Client, login: str, password: str) -> str:
    payload = answer(http, SIGN_IN, login=login, password=password)["data"]["sessionCreate"]
    if payload["session"] is None:
        raise NoAnswer(payload["userErrors"][0]["message"])
    token: str = payload["session"]["accessToken"]
    return token


def answer(http: httpx.Client, document: str, **variables: str) -> dict[str, Any]:
    found: dict[str, Any] = http.post("/graphql", json={"query": document, "variables": variables}).json()
    return found


def picked(found: Any, path: str) -> Any:
    """What stands at `orderPlace.order.id` inside the data; numbers count from 0 in lists."""
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found
