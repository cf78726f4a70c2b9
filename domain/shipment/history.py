"""What is known of one parcel: facts as they are reported, events as they are stored, and what counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from models import ReportedEvent, ShipmentStatus

EVENTS_OF_PARCEL_LIMIT = 500
"""Beyond so many events of a parcel, a carrier's are stored only with a status that it has none of yet."""
CORRECTION_CODE = "CORRECTED-"
"""How the codes of events begin by which staff correct a parcel."""


@dataclass(frozen=True, slots=True)
class TrackingFact:
    """One thing a carrier or the staff reports about a parcel."""

    status: ShipmentStatus | None
    """None where a carrier gave no code, or one that the shop does not know."""
    code: str
    description: str
    occurred_at: datetime
    location: str = ""
    latitude: float | None = None
    longitude: float | None = None
    by_carrier: bool = False
    """Carriers send their texts again and again, and the codes of one text may change or come later."""

    @property
    def text_hash(self) -> str:
        return hash_text(self.description if self.by_carrier else f"{self.code} {self.description}")

    @property
    def key(self) -> tuple[datetime, str]:
        """What tells it from other facts about the same parcel: its time and the hash of its text."""
        return self.occurred_at, self.text_hash


def hash_text(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class StoredEvent:
    """What of a stored event decides: no entity, since many are read for each that is new."""

    id: int
    status: ShipmentStatus | None
    code: str
    description: str
    occurred_at: datetime
    received_at: datetime
    text_hash: str | None
    revoked_at: datetime | None
    latitude: float | None
    longitude: float | None


STORED_COLUMNS: Sequence[str] = StoredEvent.__slots__

KnownEvent = StoredEvent | ReportedEvent
E = TypeVar("E", bound=KnownEvent)


def keys_of(event: StoredEvent) -> list[tuple[datetime, str]]:
    """The keys of a stored event; a row of before the keys has that of a carrier and that of the staff."""
    if event.text_hash is not None:
        return [(event.occurred_at, event.text_hash)]
    texts = (event.description, f"{event.code} {event.description}")
    return [(event.occurred_at, hash_text(text)) for text in texts]


@dataclass(frozen=True, slots=True)
class ComparedFacts:
    """What reported facts add to the events that are stored of their parcel."""

    new: Sequence[TrackingFact]
    """In order of time."""
    learned: Sequence[StoredEvent]
    """Stored events whose status is known only now."""
    surplus: Sequence[TrackingFact]
    """Those that are not stored, since the parcel has too many."""


def compare_facts(known: Sequence[StoredEvent], facts: Sequence[TrackingFact]) -> ComparedFacts:
    """What of the facts reported of a parcel is new, and what is learned of the events that are known."""
    by_key = {key: event for event in known for key in keys_of(event)}
    keyed = [(fact.key, fact) for fact in facts]
    new_facts = {key: fact for key, fact in keyed if key not in by_key}
    learned = learn_statuses(by_key, keyed)
    by_time, surplus = sorted(new_facts.values(), key=lambda fact: fact.occurred_at), list[TrackingFact]()
    if len(known) + len(by_time) > EVENTS_OF_PARCEL_LIMIT:
        by_time, surplus = limit_facts(known, by_time)
    return ComparedFacts(by_time, learned, surplus)


def learn_statuses(
    by_key: Mapping[tuple[datetime, str], StoredEvent],
    facts: Iterable[tuple[tuple[datetime, str], TrackingFact]],
) -> list[StoredEvent]:
    """Give stored events that had no status the one that their carrier says now; returns them."""
    learned = []
    for key, fact in facts:
        event = by_key.get(key)
        if event is not None and event.status is None and fact.status is not None:
            event.status, event.code = fact.status, fact.code
            learned.append(event)
    return learned


def columns_of(fact: TrackingFact) -> dict[str, object]:
    """The columns of a stored event that a fact fills."""
    return {
        "status": fact.status,
        "code": fact.code,
        "description": fact.description,
        "location": fact.location,
        "latitude": fact.latitude,
        "longitude": fact.longitude,
        "occurred_at": fact.occurred_at,
        "text_hash": fact.text_hash,
    }


def limit_facts(
    known: Sequence[KnownEvent], in_order: Sequence[TrackingFact]
) -> tuple[list[TrackingFact], list[TrackingFact]]:
    """New facts that are stored of a parcel with too many events, and the rest: the newest as long as there
    is room, and always the first with each status that it has none of, so that it can still arrive. What the
    shop's own people report is always stored."""
    room = max(EVENTS_OF_PARCEL_LIMIT - len(known), 0)
    too_old = max(sum(fact.by_carrier for fact in in_order) - room, 0)
    statuses = {event.status for event in known if event.revoked_at is None} | {None}
    kept, surplus = [], []
    for fact in in_order:
        has_room = not fact.by_carrier or too_old == 0
        too_old -= not has_room
        if has_room or fact.status not in statuses:
            kept.append(fact)
            statuses.add(fact.status)
        else:
            surplus.append(fact)
    return kept, surplus


def events_that_count(in_order: Sequence[KnownEvent]) -> Sequence[KnownEvent]:
    """Events, in order of time, of which the status follows: those that were not taken back, from the last
    correction on. What a carrier says again about the time before it, in whatever words, was corrected."""
    counting = [event for event in in_order if event.revoked_at is None]
    corrected = [index for index, event in enumerate(counting) if is_correction(event)]
    return counting[corrected[-1] :] if corrected else counting


def is_correction(event: KnownEvent) -> bool:
    """Whether staff have written an event to correct others: a hash of carriers is that of the text alone."""
    own_hash = hash_text(f"{event.code} {event.description}")
    return event.code.startswith(CORRECTION_CODE) and event.text_hash == own_hash


def sort_events(events: Iterable[E]) -> list[E]:
    """Tracking events in order of time; those of one moment stay in theirs."""
    return sorted(events, key=lambda event: (event.occurred_at, event.received_at))
