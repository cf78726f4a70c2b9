"""What sign-ins may do now, remembered for a moment by each process."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from events.bus import Bus
from events.types import Clock
from loaders.account import SessionRights, load_session_rights
from models.database import Database
from settings.accounts import AccountSettings

RIGHTS_TOPIC = "session_rights"
"""Notified when a sign-in has ended, or when the rights of an account have changed."""

CAPACITY = 20_000
"""Sign-ins one process remembers; the one it learned first is forgotten for the next."""


class SessionRightsCache:
    """Looks up the rights of sign-ins, at most once in RIGHTS_REMEMBERED for each.

    All of it is forgotten at once when a transaction of any process has changed rights: after the signal, or
    after that time where the signal is lost.
    """

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, settings: AccountSettings, signal_timeout: timedelta
    ) -> None:
        self.database = database
        self.bus = bus
        self.clock = clock
        self.lifetime = settings.rights_lifetime
        self.totp_required = settings.totp_required
        self.wait_seconds = signal_timeout.total_seconds()
        self.known: dict[str, tuple[datetime, SessionRights | None]] = {}

    async def find(self, family: str) -> SessionRights | None:
        """The rights of the sign-in of this family; None when it has ended or its account is disabled."""
        now = self.clock()
        known = self.known.get(family)
        if known is not None and now - known[0] < self.lifetime:
            return known[1]
        await self.refresh([family])
        known = self.known.get(family)
        return known[1] if known else None

    async def refresh(self, families: Sequence[str]) -> None:
        """Look up the rights of these sign-ins now, all with one query."""
        now = self.clock()
        async with self.database.reads() as session:
            rights = await load_session_rights(session, families, totp_required=self.totp_required)
        for family in families:
            self.remember(family, now, rights.get(family))

    def remember(self, family: str, at: datetime, rights: SessionRights | None) -> None:
        self.known.pop(family, None)
        while len(self.known) >= CAPACITY:
            del self.known[next(iter(self.known))]
        self.known[family] = (at, rights)

    def forget_all(self) -> None:
        self.known.clear()

    async def announce_change(self) -> None:
        """Forget everything, here and in the other processes."""
        self.forget_all()
        await self.bus.notify([RIGHTS_TOPIC])

    async def run(self) -> None:
        """Forget everything at each signal, until cancelled."""
        async with self.bus.listen([RIGHTS_TOPIC]) as signal:
            while True:
                if await signal.wait(self.wait_seconds):
                    self.forget_all()
