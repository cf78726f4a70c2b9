"""What the steps of an order scenario need: the shop in the past and the rows loaded before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from demo.content import CustomerContent
from demo.load.scenarios import OrderScenario
from events.shop import Shop
from models import Account, Address


@dataclass(frozen=True, slots=True)
class Fixtures:
    """The customers, guests, addresses, manager and variants of the demo shop."""

    customers: Sequence[Account]
    guests: Sequence[CustomerContent]
    addresses: Mapping[int, Sequence[Address]]
    """By account id."""
    manager_id: int
    variant_ids: Mapping[str, int]
    """By SKU."""


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """A scenario whose order has been placed; the clock of its shop stands at that time."""

    shop: Shop
    scenario: OrderScenario
    fixtures: Fixtures
    order_id: int
    buyer_id: int
    """The account of the order."""

    def shop_now(self, *, ago: timedelta = timedelta()) -> Shop:
        """The shop with its clock at the present, or `ago` before."""
        now = self.shop.clock() + timedelta(days=self.scenario.days_ago) - ago
        return replace(self.shop, clock=lambda: now)
