"""`python -m bench.provider_servers.stripe PORT [NOTICE_URL [FOLDER]]` prints its address and keys as JSON.

Port 0 takes a free one. The folder keeps keys and book, so that a server that is killed goes on where it was;
without one they are made anew at each start.
"""

import json
import socket
import sys
from pathlib import Path

import uvicorn

from bench.provider_servers.stripe.control import create_server
from bench.provider_servers.stripe.server import StripeServer


def main(arguments: list[str]) -> None:
    server = StripeServer.open(Path(arguments[2])) if len(arguments) > 2 else StripeServer()
    if len(arguments) > 1:
        server.notice_mode, server.notice_url = "send", arguments[1]
    listener = socket.create_server(("127.0.0.1", int(arguments[0])), backlog=512)
    started = {
        "address": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "secret_key": server.secret_key,
        "publishable_key": server.publishable_key,
        "webhook_secret": server.webhook_secrets[0],
    }
    print(json.dumps(started), flush=True)
    config = uvicorn.Config(create_server(server), log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1:])
