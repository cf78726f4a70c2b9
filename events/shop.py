"""Everything one process of the shop holds, made once in app.py."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.stock import FREED
from events.assessing import Assessor
from events.bus import Bus
from events.placing import Placing
from events.stock import Shelves
from events.tally import Tally
from gateways.carrier import Carrier
from gateways.media import MediaStore
from gateways.payment import PaymentGateway
from gateways.routing import Router, StraightRouter
from gateways.secrets import Secrets
from models import CarrierCode, PaymentMethod
from models.database import Database
from settings import Settings


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop's parts, for whoever answers a request or reacts to an event."""

    settings: Settings
    database: Database
    bus: Bus
    payments: Mapping[PaymentMethod, PaymentGateway]
    carriers: Mapping[CarrierCode, Carrier]
    media: MediaStore
    secrets: Secrets
    clock: Callable[[], datetime]
    router: Router = field(default_factory=StraightRouter)
    tally: Tally = field(default_factory=Tally)
    """What this process has seen customers look at, and not written down yet."""

    assessor: Assessor = field(default_factory=Assessor)
    """What this process has found when it looked through the catalogue."""

    placing: Placing = field(default_factory=Placing)
    """Where orders are placed in groups."""

    shelves: Shelves = field(default_factory=Shelves)
    """What this process has seen of the stock, for watchers of carts."""

    woken: list[Callable[[], None]] = field(default_factory=list)
    """Who wants to know at once that a transaction has committed: the relay of this process."""

    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What else has to be let go of at the end."""

    @property
    def today(self) -> date:
        """The day it is in the shop's time zone."""
        return self.clock().astimezone(self.settings.zone).date()

    def committed(self, session: AsyncSession) -> None:
        """A transaction is through: what follows may follow, and what it has freed is for sale again."""
        self.placing.sold_out.forget(session.info.pop(FREED, ()))
        self.wake()

    def wake(self) -> None:
        for wake in self.woken:
            wake()

    async def close(self) -> None:
        """Let go of everything outside."""
        for close in (*self.closers, self.bus.close, self.database.close):
            await close()
