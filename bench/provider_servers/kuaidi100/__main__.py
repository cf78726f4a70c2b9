"""`python -m bench.provider_servers.kuaidi100 PORT`: kuaidi100 on 127.0.0.1.

Parcels, pushes and faults go to `/control/`.
"""

import sys

import uvicorn

from bench.provider_servers.kuaidi100.server import create_server


def main() -> None:
    port = int(sys.argv[1])
    server = create_server(f"http://127.0.0.1:{port}")
    uvicorn.run(
        server,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
