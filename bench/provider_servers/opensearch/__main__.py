"""`python -m bench.provider_servers.opensearch PORT`: OpenSearch on 127.0.0.1, in memory.

Faults go to `/control/`.
"""

import sys

from bench.provider_servers.opensearch.server import create_server
from bench.provider_servers.running import run_server


def main() -> None:
    run_server(create_server(), int(sys.argv[1]))


if __name__ == "__main__":
    main()
