"""Variants that were found sold out a moment ago."""

from collections.abc import Iterable
from time import monotonic

from domain.errors import OutOfStock, collect_refusals
from domain.order import BatchItem


class SoldOut:
    """Remembers for a short time which variants are sold out, each with the refusal it was found by.

    The time is so short that hardly anybody is refused what another process has made available again.
    """

    def __init__(self) -> None:
        self.refusals: dict[int, tuple[float, OutOfStock]] = {}

    def remember(self, variant_id: int, refusal: OutOfStock, *, seconds: float) -> None:
        self.refusals[variant_id] = (monotonic() + seconds, refusal)

    def forget(self, variant_ids: Iterable[int]) -> None:
        for variant_id in variant_ids:
            self.refusals.pop(variant_id, None)

    def check_lines(self, item: BatchItem) -> None:
        """Raise OutOfStock for every line of an order whose variant is known to be sold out."""
        if not self.refusals:
            return
        with collect_refusals() as check:
            for index, line in enumerate(item.request.lines or ()):
                if known := self.refusals.get(line.variant_id):
                    until, refusal = known
                    if monotonic() < until:
                        check.add(refusal.of_line(index))
                    else:
                        del self.refusals[line.variant_id]
