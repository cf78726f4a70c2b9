"""How a server that speaks as a partner is run on this machine."""

import uvicorn
from starlette.types import ASGIApp


def run_server(server: ASGIApp, port: int) -> None:
    """Serve on 127.0.0.1 until the process is stopped; who is being answered then has a second."""
    uvicorn.run(
        server,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
