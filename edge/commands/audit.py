"""The audit on the command line."""

import sys

from domain.audit import find_disagreements, find_first_disagreement
from events.shop import Shop


async def print_audit(shop: Shop, *, every: bool) -> int:
    """Print the first disagreement, or each as it is found; the exit code is 1 with any."""
    found = 0
    async with shop.database.snapshot() as session:
        if every:
            async for each in find_disagreements(session):
                found += 1
                write_line(str(each))
        elif first := await find_first_disagreement(session):
            found = 1
            write_line(str(first))
    if not found:
        write_line("All books agree.")
    elif every:
        write_line(f"{found} disagreements.")
    return 1 if found else 0


def write_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
