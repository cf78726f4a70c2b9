"""Calls to WeChat Pay API v3: signed requests, verified answers, and what its errors mean."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import httpx
import orjson
from pydantic import ValidationError

from gateways.payment.provider import ProviderError, ProviderRefused
from gateways.payment.wechat_pay.content import CertificateList, Content, Problem
from gateways.payment.wechat_pay.platform_keys import CERTIFICATES_PATH, PlatformKeys
from gateways.payment.wechat_pay.signing import Merchant, SignatureRefused, SignedMessage

C = TypeVar("C", bound=Content)

ANSWER_LIMIT_BYTES = 1_000_000

UNDECIDED_CODES = frozenset(
    {
        "SYSTEM_ERROR",
        "SYSTEMERROR",
        "BANK_ERROR",
        "BANKERROR",
        "FREQUENCY_LIMITED",
        "FREQUENCY_LIMIT_EXCEED",
        "RATELIMIT_EXCEEDED",
        "RULE_LIMIT",
        "RULELIMIT",
        "USERPAYING",
        "USER_PAYING",
        "STATEMENT_CREATING",
    }
)
"""After these it is not known whether something was done, or the same will be taken later."""

MISSING_CODES = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
"""WeChat Pay knows no such attempt or refund."""


class ApiRefused(ProviderRefused):
    """WeChat Pay refused, and says why by a code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code

    @property
    def is_missing(self) -> bool:
        return self.code in MISSING_CODES


@dataclass(slots=True)
class WeChatPayApi:
    """`public_key_id` asks for answers signed by that key; `keys` verify them."""

    url: str
    client: httpx.AsyncClient
    merchant: Merchant
    timeout_seconds: float
    public_key_id: str | None
    keys: PlatformKeys = field(init=False)

    async def get(self, target: str, answer: type[C]) -> C:
        return read_content(await self.call("GET", target, b""), answer)

    async def post(self, target: str, content: Mapping[str, object], answer: type[C]) -> C:
        return read_content(await self.call("POST", target, orjson.dumps(content)), answer)

    async def call(self, method: str, target: str, body: bytes) -> bytes:
        """The verified body of a 200 or 204; ProviderError or ApiRefused otherwise."""
        response = await self.send(method, target, body)
        if response.status_code not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            await self.raise_problem(response)
        await self.verify(response)
        return response.content

    async def send(
        self, method: str, target: str, body: bytes, limit: int = ANSWER_LIMIT_BYTES
    ) -> httpx.Response:
        """The answer as it came, read up to a limit."""
        headers = {
            "Authorization": self.merchant.sign_request(method, target, body),
            "Accept": "application/json",
            "User-Agent": "Cartwheel",
        }
        if body:
            headers["Content-Type"] = "application/json"
        if self.public_key_id:
            headers["Wechatpay-Serial"] = self.public_key_id
        request = self.client.build_request(
            method, f"{self.url}{target}", content=body or None, headers=headers, timeout=self.timeout_seconds
        )
        try:
            # The client's time-out counts anew with each byte that comes.
            async with asyncio.timeout(self.timeout_seconds):
                response = await self.client.send(request, stream=True, follow_redirects=False)
                content = await read_body(response, limit)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ProviderError(f"no answer: {type(error).__name__}") from None
        return httpx.Response(
            response.status_code, headers=without_encoding(response.headers), content=content
        )

    async def raise_problem(self, response: httpx.Response) -> None:
        """What an answer other than 200 and 204 means.

        Not all of them are signed, since some come from a gateway; a signature that is there must be right.
        """
        if "wechatpay-signature" in response.headers:
            await self.verify(response)
        status = response.status_code
        try:
            problem = Problem.model_validate_json(response.content)
        except ValidationError:
            raise ProviderError(f"HTTP {status}") from None
        is_refusal = 400 <= status < 500 and bool(problem.code)
        # That our signature is wrong is a fault of settings or clocks: the payment itself is not refused.
        undecided = {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
        if not is_refusal or status in undecided or problem.code in UNDECIDED_CODES:
            raise ProviderError(f"HTTP {status} {problem.code}: {problem.message}")
        raise ApiRefused(problem.code, problem.message)

    async def verify(self, response: httpx.Response) -> None:
        """ProviderError unless WeChat Pay has signed the answer."""
        try:
            await self.keys.verify(SignedMessage.of(response.headers, response.content))
        except SignatureRefused as error:
            raise ProviderError(f"the answer is not WeChat Pay's: {error}") from None

    async def fetch_certificates(self) -> tuple[SignedMessage, CertificateList]:
        """The platform certificates, with the signature that one of them is to verify."""
        response = await self.send("GET", CERTIFICATES_PATH, b"")
        if response.status_code != HTTPStatus.OK:
            raise ProviderError(f"no certificates: HTTP {response.status_code}")
        try:
            message = SignedMessage.of(response.headers, response.content)
        except SignatureRefused as error:
            raise ProviderError(f"the certificates are not WeChat Pay's: {error}") from None
        return message, read_content(response.content, CertificateList)


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """The body, decoded; ProviderError where it is longer than the limit."""
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > limit:
                raise ProviderError("the answer is too long")
    finally:
        await response.aclose()
    return bytes(content)


def read_content(body: bytes, answer: type[C]) -> C:
    try:
        return answer.model_validate_json(body)
    except ValidationError:
        raise ProviderError(f"the answer is no {answer.__name__}") from None


def without_encoding(headers: httpx.Headers) -> httpx.Headers:
    """The headers of content that was decoded already."""
    kept = headers.copy()
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        kept.pop(name, None)
    return kept
