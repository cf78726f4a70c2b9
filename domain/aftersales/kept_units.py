"""Units that are reserved for a replacement which is sent when its difference is paid."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from domain.stock import Allocation, LevelKey, LineAllocation

KeptUnits = Mapping[LevelKey, int]
"""Units by variant and warehouse."""

NOTHING_KEPT: KeptUnits = {}


def share_kept(
    lines: Iterable[LineAllocation], kept: KeptUnits
) -> tuple[list[LineAllocation], list[Allocation]]:
    """What is to be reserved for lines besides what is kept for them, and what of that none of them takes."""
    left, rest = Counter(kept), []
    for line in lines:
        allocation = line.allocation
        taken = min(left[allocation.level_key], allocation.quantity - line.backordered)
        left[allocation.level_key] -= taken
        if taken < allocation.quantity:
            rest.append(replace(line, allocation=replace(allocation, quantity=allocation.quantity - taken)))
    return rest, [Allocation(*level, units) for level, units in sorted(left.items()) if units]
