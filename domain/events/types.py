"""The base classes of events: the row an event is about, its stored name and its payload."""

from collections.abc import Iterator, Sequence
from dataclasses import Field, asdict, dataclass, fields
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, dataclass_transform, get_args, get_origin, get_type_hints

from sqlalchemy.orm import make_transient_to_detached

from models import RATED, RESOLVED, Cart, DeliveryRun, Event, Order, Product, Shipment, Subject, Ticket

Versioned = Order | Shipment | Ticket | Cart | Product | DeliveryRun

EVENT_TYPES: "dict[str, type[DomainEvent]]" = {}
"""The class of each stored name; a class enters itself when it is defined."""


@dataclass_transform(frozen_default=True)
class DomainEvent:
    """Something that happened to one row.

    A subclass names its stored name and declares its fields, which become the payload together with the
    `snapshot` of the row. A field that has a default is stored only where it differs from it.
    """

    name: ClassVar[str]
    subject: ClassVar[Subject]
    row_type: ClassVar[type[Versioned]]
    snapshot: ClassVar[tuple[str, ...]]
    """The attributes of the row that are kept as they were, so that a replay shows what was, not what is."""

    def __init_subclass__(cls, *, name: str = "", abstract: bool = False) -> None:
        dataclass(frozen=True)(cls)
        if abstract:
            return
        if not name:
            raise TypeError(f"{cls.__name__} has no stored name")
        if name in EVENT_TYPES:
            raise TypeError(f"{cls.__name__} and {EVENT_TYPES[name].__name__} are both called {name}")
        cls.name = name
        EVENT_TYPES[name] = cls

    @property
    def row(self) -> Versioned:
        """The row it happened to."""
        raise NotImplementedError

    def payload(self) -> dict[str, Any]:
        """What is stored of it, as plain JSON: the snapshot of the row, then the fields."""
        state = {key: getattr(self.row, key) for key in self.snapshot}
        return state | {
            field.name: to_json(value)
            for field in facts_of(type(self))
            if (value := getattr(self, field.name)) != field.default
        }

    def keep_on_row(self, by: int | None, at: datetime) -> None:
        """Keep on the row what its figures need of it; most rows have none."""


class OrderEvent(DomainEvent, abstract=True):
    subject = Subject.ORDER
    row_type = Order
    snapshot = ("account_id", "status", "payment_status", "fulfilment_status")
    order: Order

    @property
    def row(self) -> Order:
        return self.order


class ShipmentEvent(DomainEvent, abstract=True):
    subject = Subject.SHIPMENT
    row_type = Shipment
    snapshot = ("order_id", "status")
    shipment: Shipment

    @property
    def row(self) -> Shipment:
        return self.shipment


class TicketEvent(DomainEvent, abstract=True):
    subject = Subject.TICKET
    row_type = Ticket
    snapshot = ("account_id", "order_id", "status")
    answers: ClassVar[bool] = False
    """Whether the shop says something to the customer by it, unless they caused it themselves."""
    ticket: Ticket

    @property
    def row(self) -> Ticket:
        return self.ticket

    def keep_on_row(self, by: int | None, at: datetime) -> None:
        """Keep when it was first answered, since when it is resolved, and how often it came back."""
        ticket = self.ticket
        if self.answers and by != ticket.account_id:
            ticket.first_answered_at = ticket.first_answered_at or at
        if ticket.status in RESOLVED:
            ticket.resolved_at = ticket.resolved_at or at
        elif ticket.resolved_at is not None:
            ticket.resolved_at, ticket.reopens = None, ticket.reopens + 1
        if ticket.closed_at == at and ticket.status in RATED:
            ticket.rate_at = at
        ticket.recount_at = at


class CartEvent(DomainEvent, abstract=True):
    subject = Subject.CART
    row_type = Cart
    snapshot = ("account_id",)
    cart: Cart

    @property
    def row(self) -> Cart:
        return self.cart


class ProductEvent(DomainEvent, abstract=True):
    subject = Subject.PRODUCT
    row_type = Product
    snapshot = ("status",)
    product: Product

    @property
    def row(self) -> Product:
        return self.product


class DeliveryRunEvent(DomainEvent, abstract=True):
    subject = Subject.DELIVERY_RUN
    row_type = DeliveryRun
    snapshot = ("courier_id", "status")
    run: DeliveryRun

    @property
    def row(self) -> DeliveryRun:
        return self.run


@dataclass(frozen=True, slots=True)
class EventLine:
    """A line of an order and how many units of it an event is about."""

    order_line_id: int
    quantity: int


def type_of(event: Event) -> type[DomainEvent] | None:
    """The class of a stored event; None for a name this version of the shop does not know."""
    return EVENT_TYPES.get(event.name)


def read_event(event: Event) -> DomainEvent:
    """A stored event as it was recorded; KeyError for a name this version of the shop does not know.

    Its row is detached and has its id, its version and its snapshot only: reading anything else raises
    DetachedInstanceError.
    """
    event_type = EVENT_TYPES[event.name]
    hints = hints_of(event.name)
    values = {
        field.name: from_json(event.payload[field.name], hints[field.name])
        for field in facts_of(event_type)
        if field.name in event.payload
    }
    return event_type(row_at(event, event_type), **values)  # type: ignore[call-arg]


def row_at(event: Event, event_type: type[DomainEvent]) -> Versioned:
    """The row an event happened to, with what the event keeps of it."""
    columns = event_type.row_type.__table__.columns
    state = {
        key: from_json(event.payload[key], columns[key].type.python_type)
        for key in event_type.snapshot
        if key in event.payload
    }
    row = event_type.row_type(id=event.subject_id, version=event.version, **state)
    make_transient_to_detached(row)
    return row


def facts_of(event_type: type[DomainEvent]) -> Iterator[Field[Any]]:
    """The fields of an event without the first, which is the row."""
    _, *facts = fields(event_type)  # type: ignore[arg-type]
    return iter(facts)


@cache
def hints_of(name: str) -> dict[str, Any]:
    """The types of an event's fields, by the name of the field."""
    return get_type_hints(EVENT_TYPES[name])


def to_json(value: Any) -> Any:
    """A field as JSON has it: times in ISO 8601, lines as objects."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(each) for each in value]
    return asdict(value) if isinstance(value, EventLine) else value


def from_json(value: Any, hint: Any) -> Any:
    """A field of type `hint` from what `to_json` made of it."""
    if value is None:
        return None
    if isinstance(hint, UnionType):
        [hint] = (each for each in get_args(hint) if each is not NoneType)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if get_origin(hint) is Sequence:
        return [from_json(each, get_args(hint)[0]) for each in value]
    return EventLine(**value) if hint is EventLine else hint(value)
