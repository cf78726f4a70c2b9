"""Which products' flash sales have begun, changed or ended.

The moments when a sale begins and ends make no events: what runs now is compared with what ran at the last
look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from events.types import Clock
from loaders.promotion import FlashSaleState, find_flash_sale_states
from models.database import Database


@dataclass(slots=True)
class FlashSaleWatch:
    database: Database
    clock: Clock
    known: Mapping[int, FlashSaleState] = field(default_factory=dict)
    """The flash sales that ran at the last look, by the id of the promotion."""

    async def find_changed(self) -> set[int]:
        """The products whose flash sales are different from the last call, in one statement."""
        known = self.known
        self.known = found = await find_flash_sale_states(self.database.reads, self.clock())
        different = {id for id in known.keys() | found.keys() if known.get(id) != found.get(id)}
        return {states[id].product_id for id in different for states in (known, found) if id in states}
