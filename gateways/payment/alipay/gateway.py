"""Signed requests to Alipay's gateway, and answers verified over the bytes that came."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import httpx

from gateways.payment.alipay.signing import AlipayKeys, signing_input
from gateways.payment.alipay.values import write_moment
from gateways.payment.provider import ProviderError

UNDERSTOOD = "10000"
REFUSED = "40004"
TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_LIMIT = 1_000_000
SPACE = re.compile(r"[ \t\r\n]*")
CODE = re.compile(r"[A-Za-z0-9_.\-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """A verified answer: accepted, or refused for a reason of the trade (ACQ.*)."""

    content: Mapping[str, object]

    @property
    def is_accepted(self) -> bool:
        return self.content.get("code") == UNDERSTOOD

    @property
    def sub_code(self) -> str:
        return str(self.content.get("sub_code", ""))

    def text(self, name: str) -> str | None:
        value = self.content.get(name)
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class AlipayGateway:
    """The way to Alipay for one app."""

    client: httpx.AsyncClient
    address: str
    app_id: str
    keys: AlipayKeys
    notify_url: str
    clock: Callable[[], datetime]
    timeout_seconds: float = TIMEOUT_SECONDS

    def sign_request(
        self, method: str, content: Mapping[str, object], *, return_url: str | None = None
    ) -> dict[str, str]:
        """The parameters of a request with their signature."""
        parameters = {
            "app_id": self.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": write_moment(self.clock()),
            "version": "1.0",
            "notify_url": self.notify_url,
            "return_url": return_url or "",
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        }
        # What is empty is not signed by Alipay's rules, so it is not sent.
        parameters = {name: value for name, value in parameters.items() if value}
        return parameters | {"sign": self.keys.sign(signing_input(parameters))}

    def page_url(self, method: str, content: Mapping[str, object], return_url: str | None) -> str:
        """The address that a browser is sent to; nobody is called."""
        return f"{self.address}?{urlencode(self.sign_request(method, content, return_url=return_url))}"

    async def call(self, method: str, content: Mapping[str, object]) -> GatewayAnswer:
        """Call a method; ProviderError unless the answer is Alipay's and says what became of it."""
        parameters = self.sign_request(method, content)
        try:
            async with self.client.stream(
                "POST",
                # The charset of the form is told in the address, so that it is read before the form.
                f"{self.address}?charset=utf-8",
                data=parameters,
                timeout=self.timeout_seconds,
            ) as response:
                body = await read_limited(response, ANSWER_BYTES_LIMIT)
        except httpx.HTTPError as error:
            raise ProviderError(f"{method}: {type(error).__name__}") from None
        if response.status_code != httpx.codes.OK:
            raise ProviderError(f"{method}: HTTP {response.status_code}")
        return self._read_answer(method, body)

    def _read_answer(self, method: str, body: bytes) -> GatewayAnswer:
        try:
            text = body.decode()
            members = split_members(text)
            name = f"{method.replace('.', '_')}_response"
            raw = members.get(name) or members["error_response"]
            content = json.loads(raw)
            signature = json.loads(members.get("sign", '""'))
            if not isinstance(content, dict) or not isinstance(signature, str):
                raise ValueError("no answer")
        except (ValueError, KeyError, RecursionError) as error:
            raise ProviderError(f"{method}: unreadable answer ({type(error).__name__})") from None
        answer = GatewayAnswer(content)
        if not self._is_signed(raw, signature):
            # Where Alipay does not know who asks, its answer has no signature: then the code helps.
            reason = "" if answer.is_accepted else f": {describe(content)}"
            raise ProviderError(f"{method}: the answer has no valid signature{reason}")
        if not answer.is_accepted and (content.get("code") != REFUSED or not is_final(answer.sub_code)):
            raise ProviderError(f"{method}: {describe(content)}")
        return answer

    def _is_signed(self, raw: str, signature: str) -> bool:
        """Whether Alipay signed the text; where it escapes slashes, it has signed them unescaped."""
        return self.keys.verify(raw.encode(), signature) or (
            "\\/" in raw and self.keys.verify(raw.replace("\\/", "/").encode(), signature)
        )


def is_final(sub_code: str) -> bool:
    """Whether the refusal is about the trade; anything else (isv.*, isp.*, aop.*) leaves it open."""
    return sub_code.startswith("ACQ.") and sub_code not in {"ACQ.SYSTEM_ERROR", "ACQ.REFUND_CHARGE_ERROR"}


def describe(content: Mapping[str, object]) -> str:
    """The codes of an answer, for logs; what is no code is left out."""
    codes = (str(content.get("code", "")), str(content.get("sub_code", "")))
    return " ".join(code for code in codes if CODE.fullmatch(code)) or "no code"


def split_members(text: str) -> dict[str, str]:
    """The raw text of each member of a JSON object; ValueError where it is none or names one twice."""
    decoder, members = json.JSONDecoder(), dict[str, str]()
    position = _expect(text, 0, "{")
    while True:
        name, position = decoder.raw_decode(text, _skip_space(text, position))
        begin = _skip_space(text, _expect(text, position, ":"))
        _, position = decoder.raw_decode(text, begin)
        if not isinstance(name, str) or name in members:
            raise ValueError("not an object with names of its own")
        members[name] = text[begin:position]
        following = _skip_space(text, position)
        if text[following : following + 1] != ",":
            if text[_expect(text, position, "}") :].strip():
                raise ValueError("more than an object")
            return members
        position = following + 1


async def read_limited(response: httpx.Response, limit: int) -> bytes:
    """The body; ProviderError where it is longer than the limit of bytes."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise ProviderError(f"an answer of more than {limit} bytes")
    return bytes(body)


def _skip_space(text: str, position: int) -> int:
    found = SPACE.match(text, position)
    return found.end() if found else position


def _expect(text: str, position: int, sign: str) -> int:
    position = _skip_space(text, position)
    if text[position : position + 1] != sign:
        raise ValueError(f"no {sign}")
    return position + 1
