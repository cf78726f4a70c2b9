"""`python -m bench.provider_servers.kuaidi100 PORT`: kuaidi100 on 127.0.0.1.

Parcels, pushes and faults go to `/control/`.
"""

import sys

from bench.provider_servers.kuaidi100.server import create_server
from bench.provider_servers.running import run_server


def main() -> None:
    port = int(sys.argv[1])
    server = create_server(f"http://127.0.0.1:{port}")
    run_server(server, port)


if __name__ == "__main__":
    main()
