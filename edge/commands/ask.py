"""Sending a GraphQL document to a running shop, for `cartwheel ask`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from edge.operations.documents import UnreadableOperations, read_operation_of

WAIT_SECONDS = 30.0
SIGN_IN = """
mutation ($login: String!, $password: String!) {
  sessionCreate(input: { login: $login, password: $password }) {
    session { accessToken }
    userErrors { message }
  }
}
"""


WAY = (
    "`make serve` starts a shop with demo data; another is named by --url, or by PUBLIC_URL, HOST and PORT"
    " as for `cartwheel serve`."
)


class AskFailed(Exception):
    """The shop did not answer or refused the sign-in, or there is nothing to send."""


def ask_shop(
    address: str,
    document: str,
    *,
    variables: dict[str, Any],
    login: str | None = None,
    password: str = "",
    headers: dict[str, str],
) -> dict[str, Any]:
    """Return the whole response to `document`, executed as a guest or, with `login`, as that account.

    AskFailed when there is no response or the sign-in is refused.
    """
    try:
        with httpx.Client(
            base_url=address.removesuffix("/graphql"), timeout=WAIT_SECONDS, headers=headers
        ) as http:
            if login:
                http.headers["Authorization"] = f"Bearer {sign_in(http, login, password)}"
            return execute_document(http, document, **variables)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise AskFailed(f"{describe_failure(address, error)} {WAY}") from error


def read_operation(file: Path, operation: str | None) -> str:
    """Return an operation of a file, with the fragments that it uses; AskFailed where it has no such one."""
    try:
        found = read_operation_of(file, operation)
    except UnreadableOperations as error:
        raise AskFailed(str(error)) from None
    if found.kind == "subscription":
        raise AskFailed(f"{found.name} is a subscription, which this command does not follow.")
    return found.text


def read_variables(text: str) -> dict[str, Any]:
    """Return the variables of an operation, given as a JSON object; AskFailed for anything else."""
    try:
        variables = json.loads(text)
    except ValueError:
        variables = None
    if not isinstance(variables, dict):
        raise AskFailed('The variables are a JSON object, such as {"first": 3}.')
    return variables


def read_headers(lines: Sequence[str]) -> dict[str, str]:
    """Headers by name, each given as "Name: value"; AskFailed for what is none."""
    parts = [line.partition(":") for line in lines]
    if not all(name.strip() and colon and value.strip() for name, colon, value in parts):
        raise AskFailed('A header is a name and a value, such as "X-Cart-Token: ...".')
    return {name.strip(): value.strip() for name, _, value in parts}


def describe_failure(address: str, error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return f"Nothing answers at {address}."
        case httpx.TimeoutException():
            return f"{address} does not answer within {WAIT_SECONDS:g} s."
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return f"{address} is no URL such as http://127.0.0.1:8000."
    return f"What answers at {address} is no shop."


def sign_in(http: httpx.Client, login: str, password: str) -> str:
    """Return an access token; AskFailed when the shop refuses."""
    payload = execute_document(http, SIGN_IN, login=login, password=password)["data"]["sessionCreate"]
    if payload["session"] is None:
        raise AskFailed(payload["userErrors"][0]["message"])
    token: str = payload["session"]["accessToken"]
    return token


def execute_document(http: httpx.Client, document: str, /, **variables: Any) -> dict[str, Any]:
    response: dict[str, Any] = http.post("/graphql", json={"query": document, "variables": variables}).json()
    return response


def pick_value(response: dict[str, Any], path: str) -> Any:
    """Return the value at a path such as `orderPlace.order.id`; in lists, numbers count from 0.

    AskFailed, with the whole response, when there is nothing: then it says why.
    """
    value: Any = response.get("data")
    try:
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
    except (LookupError, TypeError, ValueError):
        raise AskFailed(f"The response has no {path}: {json.dumps(response, ensure_ascii=False)}") from None
    return value
