"""Exits with status 1 when the tests need a server from the wheels, else with 0."""

import sys

from tests.servers.discovery import ServerMissing
from tests.servers.postgres import postgres_origin
from tests.servers.redis import redis_origin


def main() -> int:
    try:
        origins = [postgres_origin(), redis_origin()]
    except ServerMissing:
        return 1
    return int(any(origin.startswith("wheels") for origin in origins))


if __name__ == "__main__":
    sys.exit(main())
