"""Where a story is told, and who plays in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from demo.load.stories import Story
from events.shop import Shop
from models import Account, Address


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what the stories are about."""

    customers: Sequence[Account]
    addresses: Mapping[int, Sequence[Address]]
    """By account."""
    manager: int
    variants: Mapping[str, int]
    """Id by SKU."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A story while it is told: its shop has the clock of the story."""

    shop: Shop
    story: Story
    cast: Cast
    order_id: int

    @property
    def buyer(self) -> Account:
        return self.cast.customers[self.story.customer]

    def now(self, *, ago: timedelta = timedelta()) -> Shop:
        """The shop at the end of the story, or a while before."""
        then = self.shop.clock() + timedelta(days=self.story.days_ago) - ago
        return replace(self.shop, clock=lambda: then)
