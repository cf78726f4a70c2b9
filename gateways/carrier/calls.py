"""Calls to carriers over HTTP: what was not sent, what was not answered, and answers of a limited size."""

import json
from collections.abc import Mapping

import httpx

from gateways.carrier.protocol import CarrierError, CarrierNotReached
from gateways.carrier.wire import note_wire

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_LIMIT = 1_000_000


async def post_form(
    client: httpx.AsyncClient,
    url: str,
    form: Mapping[str, str],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> dict[str, object]:
    """The JSON object that is answered to a form.

    CarrierNotReached where nothing can have been sent; CarrierError where it may have been, or where the
    answer is none.
    """
    body = await fetch(client, "POST", url, form=form, timeout_seconds=timeout_seconds)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise CarrierError("the answer is no JSON") from None
    if not isinstance(answer, dict):
        raise CarrierError("the answer is no object")
    return answer


async def fetch(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> bytes:
    """The body of an answer with status 200 of at most ANSWER_BYTES_LIMIT bytes, which is not compressed."""
    headers = {"accept-encoding": "identity"}
    try:
        async with client.stream(
            method, url, data=form, headers=headers, timeout=timeout_seconds, follow_redirects=False
        ) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise CarrierError("the answer is compressed, though it was not to be")
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > ANSWER_BYTES_LIMIT:
                    raise CarrierError(f"the answer has more than {ANSWER_BYTES_LIMIT} bytes")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise CarrierNotReached(type(error).__name__) from None
    except httpx.HTTPError as error:
        raise CarrierError(type(error).__name__) from None
    note_wire(response.status_code, body)
    if response.status_code != httpx.codes.OK:
        raise CarrierError(f"HTTP {response.status_code}")
    return body
