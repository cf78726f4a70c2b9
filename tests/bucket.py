"""An object store of our own: as much of S3 as the shop speaks, with every signature checked."""

import asyncio
import hashlib
import hmac
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KEY_ID, SECRET = "the shop", "known to the two of us only"


@dataclass
class Bucket:
    """What is in it: type and bytes by path, "/bucket/prefix/name"."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    broken: bool = False
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: Request) -> Response:
        body, path = await request.body(), request.url.path
        if self.broken:
            return Response("<Error><Code>InternalError</Code></Error>", 500)
        if not signed(request, body):
            return Response("<Error><Code>SignatureDoesNotMatch</Code></Error>", 403)
        if request.method == "PUT":
            self.files[path] = request.headers["content-type"], body
            return Response(headers={"ETag": f'"{hashlib.sha256(body).hexdigest()}"'})
        if request.method == "POST":  # many deleted at once: what obstore says for one, too
            keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for key in keys:
                self.files.pop(f"{path}/{key}", None)
            gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return Response(f"<DeleteResult>{gone}</DeleteResult>", media_type="application/xml")
        if path not in self.files:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
        kind, data = self.files[path]
        last = {"ETag": '"1"', "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT"}
        return Response(data, media_type=kind, headers=last)


def signed(request: Request, body: bytes) -> bool:
    """Signature version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html)."""
    method, _, rest = request.headers.get("authorization", "").partition(" ")
    said = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if method != "AWS4-HMAC-SHA256" or not said["Credential"].startswith(f"{KEY_ID}/"):
        return False
    scope = said["Credential"].removeprefix(f"{KEY_ID}/")
    given = request.headers["x-amz-content-sha256"]
    names = said["SignedHeaders"].split(";")
    lines = [
        request.method,
        request.scope["raw_path"].decode(),
        "&".join(part if "=" in part else f"{part}=" for part in request.url.query.split("&") if part),
        *(f"{name}:{request.headers[name].strip()}" for name in names),
        "",
        ";".join(names),
        given,
    ]
    asked = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, asked])
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    whole = given in (hashlib.sha256(body).hexdigest(), "UNSIGNED-PAYLOAD")
    return whole and hmac.compare_digest(
        hmac.new(key, text.encode(), "sha256").hexdigest(), said["Signature"]
    )


@asynccontextmanager
async def object_store() -> AsyncIterator[Bucket]:
    bucket = Bucket()
    app = Starlette(routes=[Route("/{path:path}", bucket.answer, methods=["GET", "PUT", "POST"])])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    bucket.port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield bucket
    server.should_exit = True
    await serving
