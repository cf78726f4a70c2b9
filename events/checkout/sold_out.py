"""Variants that were found sold out a moment ago."""

from collections.abc import Iterable
from time import monotonic

from domain.errors import OutOfStock
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

    def refusal_for(self, item: BatchItem) -> OutOfStock | None:
        """Why an order cannot be placed now; None where nothing is known of its variants."""
        if not self.refusals:
            return None
        for index, line in enumerate(item.request.lines or ()):
            if known := self.refusals.get(line.variant_id):
                until, refusal = known
                if monotonic() < until:
                    return refusal.of_line(index)
                del self.refusals[line.variant_id]
        return None
