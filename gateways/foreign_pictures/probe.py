"""Asking a host for a picture: by HEAD, and where that says no, by the first bytes."""

import asyncio
import ssl
from collections.abc import Callable, Container
from dataclasses import dataclass

import httpx

from gateways.foreign_pictures.hosts import HostAddress, Resolve
from models import PictureFault

CHECK_SECONDS = 20.0
"""How long a check may take in all, with every redirect."""
STEP_TIMEOUT = httpx.Timeout(6.0)
"""For connecting, and for each wait for data."""
REDIRECTS_LIMIT = 4
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
SCHEMES = {"http": 80, "https": 443}
WEB_PORTS = frozenset({80, 443, 8080, 8443})
"""Where shops keep pictures: no other port of another host is touched."""

FIRST_BYTES = 32
"""Enough to know a picture by its signature; no more is read."""
ASKED_BYTES = 1_024
"""What a host is asked for: some answer short ranges wrongly."""

NOT_THERE = frozenset({404, 410})
TOO_MANY_REQUESTS = 429
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Content types that say nothing: the signature decides."""


class PictureUndecided(Exception):
    """Whether the picture can be reached was not to be told now."""


class PictureRefused(Exception):
    """The picture cannot be reached."""

    def __init__(self, fault: PictureFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """What a host has answered, after all redirects."""

    status: int
    content_type: str
    length: str
    head: bytes

    @property
    def is_named_picture(self) -> bool:
        """Whether the header alone says that there is a picture."""
        return self.status < 300 and self.content_type.startswith("image/") and self.length != "0"

    def find_fault(self) -> PictureFault | None:
        """The fault of an answer with first bytes. Raises PictureUndecided."""
        if self.status == TOO_MANY_REQUESTS:
            raise PictureUndecided
        if self.status in NOT_THERE:
            return PictureFault.NOT_FOUND
        if self.status >= 300:
            return PictureFault.SERVER_FAULT if self.status >= 500 else PictureFault.REFUSED
        is_named = self.content_type.startswith("image/") and len(self.head) > 0
        is_known = self.content_type in UNTYPED and has_signature(self.head)
        return None if is_named or is_known else PictureFault.NOT_A_PICTURE


@dataclass(frozen=True, slots=True)
class PictureProbe:
    """Finds out whether pictures elsewhere can be reached.

    Each name is resolved once for each request, all its addresses must be allowed, and the request goes to
    the very address that was looked at: an answer of the DNS that changes meanwhile changes nothing.
    """

    agent: str
    certificates: ssl.SSLContext
    resolve: Resolve
    is_allowed: Callable[[HostAddress], bool]
    seconds: float = CHECK_SECONDS
    ports: Container[int] = WEB_PORTS

    async def find_fault(self, address: str) -> PictureFault | None:
        """Why the picture at an address cannot be reached; None where it can. Raises PictureUndecided."""
        try:
            async with asyncio.timeout(self.seconds):
                return await self._find_fault(read_url(address))
        except TimeoutError:
            return PictureFault.NO_ANSWER
        except PictureRefused as refused:
            return refused.fault

    async def _find_fault(self, url: httpx.URL) -> PictureFault | None:
        try:
            answer = await self._follow("HEAD", url)
        except PictureRefused:
            answer = None  # many hosts answer HEAD wrongly or not at all
        if answer and answer.is_named_picture:
            return None
        return (await self._follow("GET", url)).find_fault()

    async def _follow(self, method: str, url: httpx.URL) -> PictureAnswer:
        for _ in range(REDIRECTS_LIMIT + 1):
            answer = await self._ask(method, url)
            if isinstance(answer, PictureAnswer):
                return answer
            url = answer
        raise PictureRefused(PictureFault.REDIRECTS)

    async def _ask(self, method: str, url: httpx.URL) -> "PictureAnswer | httpx.URL":
        """The answer, or where it leads.

        A client for each request: the next one may be for another host at the same address, with another
        certificate and other cookies.
        """
        place = await self._locate(url)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": self.agent,
            "Accept": "image/*,*/*;q=0.1",
        }
        headers["Accept-Encoding"] = "identity"
        if method == "GET":
            headers["Range"] = f"bytes=0-{ASKED_BYTES - 1}"
        target = url.copy_with(host=str(place), userinfo=b"", fragment=None)
        extensions = {"sni_hostname": url.raw_host.decode("ascii")}
        try:
            async with (
                httpx.AsyncClient(verify=self.certificates, timeout=STEP_TIMEOUT, trust_env=False) as client,
                client.stream(method, target, headers=headers, extensions=extensions) as response,
            ):
                if response.status_code in REDIRECT_STATUSES and "location" in response.headers:
                    return read_url(response.headers["location"], base=url)
                return PictureAnswer(
                    response.status_code,
                    response.headers.get("content-type", "").partition(";")[0].strip().lower(),
                    response.headers.get("content-length", ""),
                    await read_first_bytes(response) if method == "GET" else b"",
                )
        except httpx.TransportError as error:
            is_certificate = has_certificate_error(error)
            raise PictureRefused(
                PictureFault.CERTIFICATE if is_certificate else PictureFault.NO_ANSWER
            ) from error

    async def _locate(self, url: httpx.URL) -> HostAddress:
        """The address to connect to; PictureRefused unless all addresses of the host are allowed."""
        port = url.port or SCHEMES[url.scheme]
        if port not in self.ports:
            raise PictureRefused(PictureFault.ADDRESS)
        try:
            found = await self.resolve(url.raw_host.decode("ascii"), port)
        except (OSError, ValueError):
            found = []
        if not found:
            raise PictureRefused(PictureFault.HOST)
        if not all(self.is_allowed(each) for each in found):
            raise PictureRefused(PictureFault.PRIVATE)
        return min(found, key=lambda each: each.version)


def read_url(address: str, *, base: httpx.URL | None = None) -> httpx.URL:
    """An address of http or https, seen from another one; PictureRefused for any other."""
    try:
        url = base.join(address) if base else httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        raise PictureRefused(PictureFault.ADDRESS) from None
    if url.scheme not in SCHEMES or not url.raw_host:
        raise PictureRefused(PictureFault.ADDRESS)
    return url


async def read_first_bytes(response: httpx.Response) -> bytes:
    head = b""
    async for chunk in response.aiter_raw():
        head += chunk[:FIRST_BYTES]
        if len(head) >= FIRST_BYTES:
            break
    return head


def has_signature(head: bytes) -> bool:
    """Whether a file begins as a JPEG, PNG, GIF, WebP or AVIF picture does."""
    if head.startswith(SIGNATURES):
        return True
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return is_webp or head[4:12] in (b"ftypavif", b"ftypavis", b"ftypheic")


def has_certificate_error(error: BaseException | None) -> bool:
    """Whether an error of TLS has led to this one."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
