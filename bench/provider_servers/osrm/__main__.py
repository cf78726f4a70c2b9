"""`python -m bench.provider_servers.osrm PORT`: OSRM's table service on 127.0.0.1."""

import sys

import uvicorn

from bench.provider_servers.osrm.server import create_server


def main() -> None:
    uvicorn.run(
        create_server(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
