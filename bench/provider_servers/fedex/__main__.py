"""`python -m bench.provider_servers.fedex PORT`: FedEx on 127.0.0.1; faults go to `/control/`."""

import sys

from bench.provider_servers.fedex.server import create_server
from bench.provider_servers.running import run_server


def main() -> None:
    port = int(sys.argv[1])
    run_server(create_server(), port)


if __name__ == "__main__":
    main()
