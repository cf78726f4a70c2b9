"""Runs the server on a port (0: a free one) with the keys and the book of a folder."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from bench.provider_servers.wechat_pay.api import api_routes
from bench.provider_servers.wechat_pay.book import Book
from bench.provider_servers.wechat_pay.control import control_routes
from bench.provider_servers.wechat_pay.keys import ServerKeys
from bench.provider_servers.wechat_pay.notices import send_notices
from bench.provider_servers.wechat_pay.state import ServerState


def main(port: int, folder: Path) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    state = ServerState(ServerKeys.open(folder), Book.open(folder), url)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sender = asyncio.create_task(send_notices(state))
        print(json.dumps({"url": url, "environment": state.keys.environment(url)}), flush=True)
        yield
        sender.cancel()
        with suppress(asyncio.CancelledError):
            await sender

    app = Starlette(routes=api_routes(state) + control_routes(state), lifespan=lifespan)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
