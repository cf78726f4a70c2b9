"""What an operation costs its viewer, taken from the viewer's bucket."""

from dataclasses import dataclass

from events.shop import Shop
from gateways.buckets import Rate, Taken
from resolvers.context import Viewer
from settings.costs import CostLimits, CostSettings


@dataclass(frozen=True, slots=True)
class Charge:
    """What one operation asks for, what it may, and what its viewer has left."""

    requested: int
    limits: CostLimits
    taken: Taken

    @property
    def is_too_costly(self) -> bool:
        """Whether no viewer of this kind may ask for it, however full the bucket is."""
        return self.requested > self.limits.operation

    def as_extension(self, *, personal: bool) -> dict[str, object]:
        """What stands in `extensions.cost`; an answer for everybody says nothing of one viewer's bucket."""
        shown: dict[str, object] = {"requested": self.requested, "limit": self.limits.operation}
        if personal:
            shown |= {
                "left": int(self.taken.left),
                "capacity": self.limits.capacity,
                "refillPerSecond": self.limits.per_second,
            }
        return shown


READING_COST = 2
"""What one character of a document costs that is not known yet: to be parsed and validated."""


async def take_for_reading(shop: Shop, viewer: Viewer, address: str, text: str) -> Taken:
    """Take from a second bucket of the viewer what it costs to read a document.

    It is one of its own, as large as the first, so that `extensions.cost` is the same each time.
    """
    limits = limits_of(viewer, shop.settings.costs)
    rate = Rate(limits.capacity, limits.per_second)
    amount = min(READING_COST * len(text), limits.capacity)
    return await shop.buckets.take(f"reading:{viewer_key(viewer, address)}", amount, rate)


def viewer_key(viewer: Viewer, address: str) -> str:
    """The account, else the address."""
    return f"address:{address}" if viewer.account_id is None else f"account:{viewer.account_id}"


async def charge_viewer(shop: Shop, viewer: Viewer, address: str, requested: int) -> Charge:
    """Take what an operation costs from the bucket of the account, else of the address.

    What no operation of the viewer may cost is not taken.
    """
    limits = limits_of(viewer, shop.settings.costs)
    amount = requested if requested <= limits.operation else 0
    rate = Rate(limits.capacity, limits.per_second)
    return Charge(
        requested, limits, await shop.buckets.take(f"cost:{viewer_key(viewer, address)}", amount, rate)
    )


def limits_of(viewer: Viewer, costs: CostSettings) -> CostLimits:
    if viewer.account_id is None:
        return costs.guest
    return costs.staff if viewer.is_staff else costs.customer
