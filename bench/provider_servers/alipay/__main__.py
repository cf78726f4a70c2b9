"""`python -m bench.provider_servers.alipay PORT FOLDER`: Alipay's gateway on 127.0.0.1.

FOLDER keeps the keys, which are made at the first start, and the book. A shop needs `app_private.pem` and
`alipay_public.pem` of it, and the ids in `server.py`. What customers do, and faults, go to `/control/`.
"""

import sys
from pathlib import Path

from bench.provider_servers.alipay.server import create_server
from bench.provider_servers.running import run_server


def main() -> None:
    port, folder = sys.argv[1:]
    server = create_server(Path(folder), int(port))
    run_server(server, int(port))


if __name__ == "__main__":
    main()
