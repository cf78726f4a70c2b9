"""Calls to Stripe's API over the shop's own HTTP client: forms in, JSON out."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import ValidationError

from gateways.payment.card.objects import ErrorAnswer, ItemT, StripeObject, StripePage
from gateways.payment.provider import ProviderError, ProviderRefused

API_VERSION = "2026-10-28.endive"
"""The version of the API whose objects are read; without it that of the account would count."""

TIMEOUT_SECONDS = 20.0
PAGE_SIZE = 100
PAGES_LIMIT = 200
REASON_LIMIT = 300

UNKNOWN_OUTCOME = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Client errors that pass by themselves; 409 is a call with the same key that has not ended yet."""

REPLAYED_HEADER = "idempotent-replayed"
RESOURCE_MISSING = "resource_missing"
UNEXPECTED_STATE = "payment_intent_unexpected_state"
IDEMPOTENCY_ERROR = "idempotency_error"

ObjectT = TypeVar("ObjectT", bound=StripeObject)


class KeyRefused(ProviderError):
    """The key is not valid, or may not do this: to be put right by operators, the call then succeeds."""

    def __init__(self, status: int, code: str | None) -> None:
        super().__init__(f"the key was refused: HTTP {status}")
        self.status = status
        self.code = code


class FailureReplayed(ProviderError):
    """The first call under this idempotency key failed at Stripe, and the same is answered to every other."""


class CallRefused(ProviderRefused):
    """Stripe refused the call; `kind` and `code` are its own words for why."""

    def __init__(self, reason: str, kind: str, code: str | None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.code = code


@dataclass(frozen=True, slots=True)
class StripeApi:
    client: httpx.AsyncClient = field(repr=False)
    address: str
    key: str = field(repr=False)
    account: str = ""
    """The connected account to act for; empty for the key's own."""
    timeout_seconds: float = TIMEOUT_SECONDS

    async def get(self, model: type[ObjectT], path: str, params: Mapping[str, str] | None = None) -> ObjectT:
        return await self._call(model, "GET", path, params=params)

    async def post(
        self, model: type[ObjectT], path: str, form: Mapping[str, str], *, once: str | None = None
    ) -> ObjectT:
        """`once` is the idempotency key: what was done under it is answered again, for a day at least."""
        return await self._call(model, "POST", path, form=form, once=once)

    async def list_items(
        self,
        model: type[StripePage[ItemT]],
        path: str,
        params: Mapping[str, str],
        *,
        pages: int = PAGES_LIMIT,
    ) -> AsyncIterator[ItemT]:
        """All items, page by page; ProviderError where there are more than `pages`."""
        after: dict[str, str] = {}
        for _ in range(pages):
            page = await self.get(model, path, {**params, "limit": str(PAGE_SIZE), **after})
            for item in page.data:
                yield item
            if not page.has_more or not page.data:
                return
            after = {"starting_after": page.data[-1].id}
        raise ProviderError(f"more than {pages} pages of {path}")

    async def _call(
        self,
        model: type[ObjectT],
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        once: str | None = None,
    ) -> ObjectT:
        headers = {"authorization": f"Bearer {self.key}", "stripe-version": API_VERSION}
        if self.account:
            headers["stripe-account"] = self.account
        if once:
            headers["idempotency-key"] = once
        try:
            response = await self.client.request(
                method,
                f"{self.address}{path}",
                params=params,
                data=form,
                headers=headers,
                timeout=self.timeout_seconds,
            )
        except httpx.HTTPError as error:
            raise ProviderError(f"{method} {path}: {type(error).__name__}") from None
        if not response.is_success:
            raise error_of(response, f"{method} {path}")
        try:
            return model.model_validate_json(response.content)
        except ValidationError:
            raise ProviderError(f"{method} {path}: unreadable answer") from None


def error_of(response: httpx.Response, call: str) -> Exception:
    """What an answer that is no success means: whether the outcome is known, and whether to ask again."""
    status = response.status_code
    try:
        error = ErrorAnswer.model_validate_json(response.content).error
    except ValidationError:
        error = None
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return KeyRefused(status, error.code if error else None)
    if status >= 500 and response.headers.get(REPLAYED_HEADER) == "true":
        return FailureReplayed(f"{call}: HTTP {status}, replayed")
    if error is None or not 400 <= status < 500 or status in UNKNOWN_OUTCOME:
        return ProviderError(f"{call}: HTTP {status}")
    return CallRefused(clean_text(error.message or error.code or error.type), error.type, error.code)


def clean_text(text: str) -> str:
    """A text of Stripe's in one printable line, at most REASON_LIMIT long."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:REASON_LIMIT]
