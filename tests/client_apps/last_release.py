"""The operations that were stored with the last release, which applications in people's hands still send."""

import re
from functools import cache
from pathlib import Path

from edge.operations.documents import ClientOperation, read_operations
from tests.process import ROOT

RELEASES = ROOT / "docs/releases"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def find_last_release(releases: Path = RELEASES) -> Path | None:
    """Return the folder of the highest version; None before the first release."""
    versions = {
        tuple(map(int, found.groups())): folder
        for folder in releases.glob("*")
        if (found := VERSION.fullmatch(folder.name))
    }
    return versions[max(versions)] if versions else None


@cache
def released_operations() -> dict[str, ClientOperation]:
    """Return the operations of the last release by their names."""
    folder = find_last_release()
    if folder is None:
        return {}
    return {operation.name: operation for operation in read_operations(folder / "operations")}
