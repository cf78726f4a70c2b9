"""An object store for tests: the part of S3 that the shop uses, with every signature checked."""

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
    """Stored files: content type and bytes, by path "/bucket/prefix/name"."""

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
        if not has_valid_signature(request, body):
            return Response("<Error><Code>SignatureDoesNotMatch</Code></Error>", 403)
        if request.method == "PUT":
            self.files[path] = request.headers["content-type"], body
            return Response(headers={"ETag": f'"{hashlib.sha256(body).hexdigest()}"'})
        if request.method == "POST":  # DeleteObjects: obstore sends it for a single object, too
            keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for key in keys:
                self.files.pop(f"{path}/{key}", None)
            deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return Response(f"<DeleteResult>{deleted}</DeleteResult>", media_type="application/xml")
        if path not in self.files:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
        content_type, data = self.files[path]
        headers = {"ETag": '"1"', "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT"}
        return Response(data, media_type=content_type, headers=headers)


def has_valid_signature(request: Request, body: bytes) -> bool:
    """Whether the request has a valid AWS signature, version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html)."""
    method, _, rest = request.headers.get("authorization", "").partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if method != "AWS4-HMAC-SHA256" or not fields["Credential"].startswith(f"{KEY_ID}/"):
        return False
    scope = fields["Credential"].removeprefix(f"{KEY_ID}/")
    content_hash = request.headers["x-amz-content-sha256"]
    names = fields["SignedHeaders"].split(";")
    lines = [
        request.method,
        request.scope["raw_path"].decode(),
        "&".join(part if "=" in part else f"{part}=" for part in request.url.query.split("&") if part),
        *(f"{name}:{request.headers[name].strip()}" for name in names),
        "",
        ";".join(names),
        content_hash,
    ]
    request_hash = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, request_hash])
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    is_whole = content_hash in (hashlib.sha256(body).hexdigest(), "UNSIGNED-PAYLOAD")
    return is_whole and hmac.compare_digest(
        hmac.new(key, text.encode(), "sha256").hexdigest(), fields["Signature"]
    )


@asynccontextmanager
async def run_object_store() -> AsyncIterator[Bucket]:
    """Serve an empty bucket on a free port during the block."""
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
