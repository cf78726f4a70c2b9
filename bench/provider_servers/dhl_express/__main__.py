"""`python -m bench.provider_servers.dhl_express PORT`: DHL Express on 127.0.0.1; faults go to `/control/`."""

import sys

from bench.provider_servers.dhl_express.server import create_server
from bench.provider_servers.running import run_server


def main() -> None:
    port = int(sys.argv[1])
    run_server(create_server(), port)


if __name__ == "__main__":
    main()
