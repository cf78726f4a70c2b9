"""What timers and reactions are, and what of the shop they may use."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.events import DomainEvent
from events.bus import Bus
from gateways.calls import CallObserver
from gateways.carrier.protocol import CarrierGateway
from gateways.geocoder import Geocoder
from gateways.media import MediaStore
from gateways.metrics import Metrics
from gateways.payment.provider import PaymentProvider
from gateways.payment.sandbox import SandboxProvider
from gateways.routing.matrix import Matrix
from gateways.routing.planner import RoutePlanner
from gateways.tracing import Tracer
from models import CarrierConnection, PaymentMethod
from models.database import Database
from settings import Settings

Clock = Callable[[], datetime]
RowId = int | str
E = TypeVar("E", bound=DomainEvent)
E_contra = TypeVar("E_contra", bound=DomainEvent, contravariant=True)


class Resources(Protocol):
    """What timers and reactions are given; the shop has it all."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def payments(self) -> Mapping[PaymentMethod, PaymentProvider]: ...
    @property
    def sandbox(self) -> SandboxProvider | None: ...
    @property
    def carriers(self) -> Mapping[CarrierConnection, CarrierGateway]: ...
    @property
    def geocoder(self) -> Geocoder | None: ...
    @property
    def media(self) -> MediaStore: ...
    @property
    def matrix(self) -> Matrix: ...
    @property
    def planner(self) -> RoutePlanner: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def tracer(self) -> Tracer | None: ...
    @property
    def calls(self) -> CallObserver: ...

    @property
    def on_commit(self) -> list[Callable[[], None]]:
        """Called when a transaction has committed that may have recorded events."""

    def wake_relay(self) -> None:
        """Call all of `on_commit`, so that the relay of this process looks for events at once."""

    def after_commit(self, session: AsyncSession) -> None:
        """As `wake_relay`; and the units that the transaction has freed can be ordered again at once."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Rows that fall due, and what is done with each.

    `due(now)` selects ids; `act` takes one id, looks again under a lock, and acts or leaves it. Two processes
    may find the same row: the lock and the second look make it happen once.
    """

    name: str
    due: Callable[[datetime], Select[Any]]
    act: Callable[[Resources, Any], Awaitable[None]]
    act_on_group: Callable[[Resources, Sequence[Any]], Awaitable[int]] | None = None
    """Acts on many in one transaction, except on those that another process has locked; returns how many."""
    age: Callable[[Settings], timedelta] = lambda settings: timedelta()
    """How long rows without a due time of their own wait: `due` is asked for the moment so long ago."""
    partner: str | None = None
    """Whom it calls; what is due for one partner waits for no other one, and nothing else waits for it."""


@dataclass(frozen=True, slots=True)
class InTransaction(Generic[E_contra]):
    """A reaction: it changes our own rows, committed together with the mark that it is done, so once.

    What a partner is to be told becomes a row that falls due, which a timer of this partner finds.
    """

    effect: Callable[[AsyncSession, E_contra, Resources], Awaitable[None]]
    find_concerned: Callable[[AsyncSession, Collection[int]], Awaitable[set[int]]] | None = None
    """Which of many rows that something has happened to it may concern; it leaves the others without a
    transaction for each. None where it may concern all."""
    effect_on_many: Callable[[AsyncSession, Sequence[E_contra], Resources], Awaitable[None]] | None = None
    """The same effect for many events in one transaction. None where each has one of its own."""

    @property
    def name(self) -> str:
        return self.effect.__name__


AnyReaction = InTransaction[Any]
Reactions = Mapping[type[DomainEvent], Sequence[AnyReaction]]


def reactions_to(
    event_type: type[E], *reactions: InTransaction[E]
) -> tuple[type[DomainEvent], Sequence[AnyReaction]]:
    """An entry of the table of reactions; mypy checks that each reaction takes events of this class."""
    return event_type, reactions
