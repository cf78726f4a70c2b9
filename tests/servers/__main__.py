"""Says which servers the tests will use; ends with status 1 when the wheels are needed for one of them."""

import sys

from tests.servers.found import ServerMissing
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
