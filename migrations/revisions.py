"""The revisions of this release, read from their files: one chain, whose last is the newest."""

import re
from functools import cache
from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"
PREVIOUS = re.compile(r'^down_revision\b.*= (?:"(\w+)"|None)$', re.MULTILINE)


@cache
def known_revisions() -> tuple[str, ...]:
    """All revisions, the oldest first; the numbers need not be in the order of the chain."""
    following: dict[str | None, str] = {}
    for path in VERSIONS.glob("[0-9]*_*.py"):
        if previous := PREVIOUS.search(path.read_text("utf-8")):
            following[previous[1]] = path.name.partition("_")[0]
    chain: list[str] = []
    while revision := following.get(chain[-1] if chain else None):
        chain.append(revision)
    return tuple(chain)
