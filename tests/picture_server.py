"""A host of pictures for tests, which answers each path as it is told, however badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
HUGE = 50_000_000
ANY_PORT = range(1, 65_536)
"""The servers of tests listen where there is room."""


@dataclass(frozen=True, slots=True)
class AskedPicture:
    """A request that has come."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class PictureReply:
    """What is answered to a path."""

    status: int = 200
    content_type: str = "image/png"
    body: bytes = PNG
    location: str = ""
    head_status: int | None = None
    """The status to HEAD, where it is another one."""
    is_slow: bool = False
    """Whether nothing follows the header."""
    length: int | None = None
    """What Content-Length says, where it is not true; it is sent as far as the client reads."""


@dataclass
class PictureHost:
    """A server of ours on a free port of 127.0.0.1."""

    replies: dict[str, PictureReply] = field(default_factory=dict)
    asked: list[AskedPicture] = field(default_factory=list)
    sent: int = 0
    """Bytes of the bodies, so far."""
    on_ask: Callable[[], None] = lambda: None
    port: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
            method, path, _ = lines[0].split(" ")
            pairs = (line.partition(": ") for line in lines[1:] if line)
            self.asked.append(AskedPicture(method, path, {name.lower(): text for name, _, text in pairs}))
            self.on_ask()
            await self.answer(writer, method, self.replies.get(path, PictureReply(404, "text/plain", b"")))
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def answer(self, writer: asyncio.StreamWriter, method: str, reply: PictureReply) -> None:
        status = reply.head_status if method == "HEAD" and reply.head_status else reply.status
        length = len(reply.body) if reply.length is None else reply.length
        head = [f"HTTP/1.1 {status} x", f"Content-Type: {reply.content_type}", f"Content-Length: {length}"]
        head += [f"Location: {reply.location}"] if reply.location else []
        writer.write("\r\n".join([*head, "Connection: close", "Set-Cookie: a=b", "", ""]).encode())
        await writer.drain()
        if reply.is_slow:
            await self.closing.wait()
        elif method != "HEAD":
            while self.sent < length and not self.closing.is_set():
                self.sent += len(reply.body)
                writer.write(reply.body)
                await writer.drain()


@asynccontextmanager
async def run_picture_host(certificate: Path | None = None) -> AsyncIterator[PictureHost]:
    """Serve pictures during the block, over TLS where there is a file with a certificate and its key."""
    host, context = PictureHost(), None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(host.talk, "127.0.0.1", 0, ssl=context)
    host.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield host
        finally:
            host.closing.set()


def write_certificate(file: Path, name: str) -> None:
    """Write a certificate for a host, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )


@pytest.fixture
async def host() -> AsyncIterator[PictureHost]:
    async with run_picture_host() as opened:
        yield opened
