"""`python -m bench.provider_servers.ups PORT`: UPS on 127.0.0.1; faults go to `/control/`."""

import sys

import uvicorn

from bench.provider_servers.ups.server import create_server


def main() -> None:
    port = int(sys.argv[1])
    uvicorn.run(
        create_server(),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
