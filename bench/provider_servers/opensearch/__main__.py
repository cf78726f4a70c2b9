"""`python -m bench.provider_servers.opensearch PORT`: OpenSearch on 127.0.0.1, in memory.

Faults go to `/control/`.
"""

import sys

import uvicorn

from bench.provider_servers.opensearch.server import create_server


def main() -> None:
    uvicorn.run(
        create_server(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
