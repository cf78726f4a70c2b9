"""The audit at the command line."""

import sys

from domain.audit import disagreements, first_disagreement
from events.shop import Shop


async def print_audit(shop: Shop, *, every: bool) -> int:
    """Print the first disagreement, or every one as it is found; 1 when there is any."""
    found = 0
    async with shop.database.snapshot() as session:
        if every:
            async for each in disagreements(session):
                found += 1
                say(str(each))
        elif first := await first_disagreement(session):
            found = 1
            say(str(first))
    if not found:
        say("All books agree.")
    elif every:
        say(f"{found} disagreements.")
    return 1 if found else 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
