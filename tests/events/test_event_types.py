"""Every event is stored under a name of its own and can be read back as it was recorded."""

import json
from collections.abc import Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NewType, get_args, get_origin

import pytest
from sqlalchemy.orm.exc import DetachedInstanceError

from domain.cause import Cause
from domain.events import (
    EVENT_TYPES,
    CartChanged,
    CartEvent,
    DomainEvent,
    EventLine,
    OrderCancelled,
    Versioned,
    read_event,
)
from domain.events.types import facts_of, hints_of
from domain.outbox import event_row
from models import Event, Order, Subject
from tests.conftest import STARTED_AT

EVERY_EVENT = pytest.mark.parametrize("event_type", EVENT_TYPES.values(), ids=EVENT_TYPES)


def sample_of(hint: Any) -> Any:
    """Some value of a type."""
    if isinstance(hint, UnionType):
        [hint] = (each for each in get_args(hint) if each is not NoneType)
    if get_origin(hint) is Sequence:
        return [sample_of(get_args(hint)[0])] * 2
    if isinstance(hint, NewType):
        return sample_of(hint.__supertype__)
    if issubclass(hint, Enum):
        return list(hint)[-1]
    return {int: 7, str: "some text", bool: True, EventLine: EventLine(3, 2)}.get(hint, STARTED_AT)


def sample_row(event_type: type[DomainEvent]) -> Versioned:
    columns = event_type.row_type.__table__.columns
    state = {key: sample_of(columns[key].type.python_type) for key in event_type.snapshot}
    return event_type.row_type(id=5, version=2, **state)


def sample_event(event_type: type[DomainEvent]) -> DomainEvent:
    hints = hints_of(event_type.name)
    facts = {field.name: sample_of(hints[field.name]) for field in facts_of(event_type)}
    return event_type(sample_row(event_type), **facts)  # type: ignore[call-arg]


def as_stored(event: DomainEvent) -> Event:
    """An event as the database gives it back."""
    row = event_row(event, Cause(STARTED_AT))
    return Event(**row | {"payload": json.loads(json.dumps(row["payload"]))})


@EVERY_EVENT
def test_every_event_is_of_a_row_that_has_versions(event_type: type[DomainEvent]) -> None:
    assert isinstance(event_type.subject, Subject)
    assert {*event_type.snapshot, "version"} <= {*event_type.row_type.__table__.columns.keys()}


@EVERY_EVENT
def test_every_event_is_read_back_as_it_was_recorded(event_type: type[DomainEvent]) -> None:
    event = sample_event(event_type)
    row = as_stored(event)

    found = read_event(row)

    assert type(found) is event_type
    assert (found.row.id, found.row.version) == (5, 2)
    assert found.payload() == row.payload
    assert [getattr(found, each.name) for each in facts_of(event_type)] == [
        getattr(event, each.name) for each in facts_of(event_type)
    ]


def test_an_event_that_is_read_back_knows_its_row_only_as_far_as_it_was_kept() -> None:
    found = read_event(as_stored(sample_event(OrderCancelled)))

    assert isinstance(found, OrderCancelled)
    assert isinstance(found.order, Order)
    with pytest.raises(DetachedInstanceError):
        found.order.number  # noqa: B018


def test_two_events_cannot_have_the_same_name() -> None:
    with pytest.raises(TypeError, match="Again and CartChanged are both called"):

        class Again(CartEvent, name=CartChanged.name):
            pass


def test_an_event_cannot_be_without_a_name() -> None:
    with pytest.raises(TypeError, match="Nameless has no stored name"):

        class Nameless(CartEvent):
            pass
