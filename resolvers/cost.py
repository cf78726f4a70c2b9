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


async def charge_viewer(shop: Shop, viewer: Viewer, address: str, requested: int) -> Charge:
    """Take what an operation costs from the bucket of the account, else of the address.

    What no operation of the viewer may cost is not taken.
    """
    limits = limits_of(viewer, shop.settings.costs)
    name = f"address:{address}" if viewer.account_id is None else f"account:{viewer.account_id}"
    amount = requested if requested <= limits.operation else 0
    rate = Rate(limits.capacity, limits.per_second)
    return Charge(requested, limits, await shop.buckets.take(f"cost:{name}", amount, rate))


def limits_of(viewer: Viewer, costs: CostSettings) -> CostLimits:
    if viewer.account_id is None:
        return costs.guest
    return costs.staff if viewer.is_staff else costs.customer
