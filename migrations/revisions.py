"""The revisions of this release, by the names of their files: one chain, whose last is the newest."""

from functools import cache
from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"


@cache
def known_revisions() -> tuple[str, ...]:
    """All revisions, the oldest first."""
    return tuple(sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py")))
