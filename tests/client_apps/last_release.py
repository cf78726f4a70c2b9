"""The operations that were stored with the last release, which applications in people's hands still send."""

from functools import cache

from edge.operations.documents import ClientOperation, read_operations
from edge.operations.releases import find_last_release
from tests.process import ROOT

RELEASES = ROOT / "docs/releases"


@cache
def released_operations() -> dict[str, ClientOperation]:
    """Return the operations of the last release by their names."""
    folder = find_last_release(RELEASES)
    if folder is None:
        return {}
    return {operation.name: operation for operation in read_operations(folder / "operations")}
