"""Stored pushes are folded into their parcels: many at once, each exactly once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.return_parcel import lock_return
from domain.aftersales.return_tracking import add_return_events, find_numbered_returns
from domain.cause import Cause
from domain.shipment.history import TrackingFact
from domain.shipment.incoming import (
    ATTEMPTS_LIMIT,
    EARLY_KEPT,
    NumberedParcel,
    ParcelNumber,
    delete_pushes,
    find_early_numbers,
    find_failed_pushes,
    find_numbered,
    has_new_pushes,
    keep_early_pushes,
    lock_free_parcels,
    lock_new_pushes,
    lock_push,
    postpone_push,
)
from domain.shipment.polling import resubscribe
from domain.shipment.tracking import ParcelReport, add_reported_events
from domain.shipment.unhandled import (
    Unhandled,
    count_unhandled,
    describe_surplus,
    describe_too_many,
    sift_facts,
)
from events.aftersales import deadlines_of
from events.shipment.polling import facts_of
from events.shipment.push_content import read_content
from events.types import Resources
from gateways.carrier.protocol import TrackingPush
from gateways.failures import describe_failure
from models import CarrierConnection, IncomingPush, ReturnParcel, Shipment, UnhandledKind

log = structlog.get_logger()

BATCH = 250
"""Pushes folded in one transaction: more would lock their parcels for long."""
BATCH_WHILE_TAKING = 50
"""The same where this process takes pushes meanwhile, whose answers wait for what is computed at once."""
BATCH_CHARACTERS = 2_000_000
FAILED_BATCH = 10
SUBSCRIBED_AGAIN_AFTER = timedelta(minutes=35)
"""kuaidi100 takes a number again half an hour after it has given up."""
LOOKS_APART_SECONDS = 0.25
"""Between two looks for what other processes have stored."""


@dataclass(slots=True)
class StoredPush:
    """A stored push and what it says."""

    id: int
    number: ParcelNumber
    push: TrackingPush


@dataclass(slots=True)
class FoldedPushes:
    """What became of a batch."""

    folded: list[int] = field(default_factory=list)
    early: list[int] = field(default_factory=list)
    """Of parcels that have not left yet."""
    unhandled: Counter[tuple[CarrierConnection, Unhandled]] = field(default_factory=Counter)

    def add(self, stored: StoredPush, unhandled: Iterable[Unhandled]) -> None:
        """Note a push that is folded, and what of it could not be followed, each once."""
        self.folded.append(stored.id)
        self.unhandled.update((stored.number[0], each) for each in set(unhandled))


class PushFolder:
    """Folds what is stored until cancelled. Each process may have one: what one has locked, others leave."""

    def __init__(self, resources: Resources, has_stored: asyncio.Event) -> None:
        self.resources = resources
        self.has_stored = has_stored
        """Set when this process has stored a push."""

    async def run(self) -> None:
        while True:
            limit = BATCH_WHILE_TAKING if self.has_stored.is_set() else BATCH
            self.has_stored.clear()
            try:
                folded = await self.run_once(limit)
            except Exception:
                log.exception("pushes.failed")
                folded = 0
            if not folded:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOKS_APART_SECONDS):
                        await self.has_stored.wait()

    async def run_once(self, limit: int = BATCH) -> int:
        """Fold at most `limit` pushes that are due; how many were folded."""
        now = self.resources.clock()
        async with self.resources.database.reads() as session:
            has_new = await has_new_pushes(session, now=now)
            failed = await find_failed_pushes(session, now=now, limit=FAILED_BATCH)
        folded = sum([await self.fold_one(push_id) for push_id in failed])
        folded += await self.fold_batch(limit) if has_new else 0
        if folded:
            self.resources.wake_relay()
        return folded

    async def fold_batch(self, limit: int) -> int:
        """Fold many pushes in one transaction; if that fails, each in its own."""
        ids: Sequence[int] = ()
        try:
            async with self.resources.database.writes.begin() as session:
                rows = cut_batch(await lock_new_pushes(session, now=self.resources.clock(), limit=limit))
                ids = [row.id for row in rows]
                return await fold_pushes(session, rows, self.resources)
        except Exception as error:
            if not ids:
                raise
            log.warning("pushes.one_by_one", pushes=len(ids), error=describe_failure(error))
            return sum([await self.fold_one(push_id) for push_id in ids])

    async def fold_one(self, push_id: int) -> int:
        """Fold one push by itself; where that fails, it waits, and after ATTEMPTS_LIMIT it is set aside."""
        try:
            async with self.resources.database.writes.begin() as session:
                row = await lock_push(session, push_id)
                return await fold_pushes(session, [row], self.resources) if row is not None else 0
        except Exception as error:
            log.exception("push.failed", push=push_id)
            async with self.resources.database.writes.begin() as session:
                row = await lock_push(session, push_id)
                if row is not None:
                    await postpone_or_set_aside(session, row, error, now=self.resources.clock())
            return 0


def cut_batch(rows: Sequence[IncomingPush]) -> Sequence[IncomingPush]:
    """As many of these as have BATCH_CHARACTERS at the most; one at the least."""
    total = 0
    for count, row in enumerate(rows):
        total += len(row.content)
        if total > BATCH_CHARACTERS:
            return rows[: max(count, 1)]
    return rows


async def fold_pushes(session: AsyncSession, rows: Sequence[IncomingPush], resources: Resources) -> int:
    """Fold locked pushes in a constant number of statements, and delete them; how many.

    One about a parcel that somebody else is changing stays for the next time.
    """
    if not rows:
        return 0
    now, receipt_after = resources.clock(), resources.settings.deadlines.receipt_confirmed_after
    pushes = [
        StoredPush(row.id, (row.connection, row.tracking_number), read_content(row.content)) for row in rows
    ]
    numbered = await find_numbered(session, {each.number for each in pushes})
    young = {row.id for row in rows if row.received_at > now - EARLY_KEPT}
    unsent = {each.number for each in pushes if each.number not in numbered}
    early = await find_early_numbers(session, unsent) if unsent else set()
    returns = await find_numbered_returns(session, unsent - early) if unsent - early else {}
    result, by_parcel = FoldedPushes(), defaultdict[NumberedParcel, list[StoredPush]](list)
    coming = defaultdict[NumberedParcel, list[StoredPush]](list)
    for each in pushes:
        parcel = choose_parcel(numbered.get(each.number, ()), each.push)
        if back := choose_parcel(returns.get(each.number, ()), each.push):
            coming[back].append(each)
            continue
        if parcel is None and each.number in early and each.id in young:
            result.early.append(each.id)
        elif parcel is None:
            result.add(each, [describe_unknown(each)])
        else:
            by_parcel[parcel].append(each)
    connections = {parcel.parcel_id: reported[0].number[0] for parcel, reported in by_parcel.items()}
    locked = await lock_free_parcels(session, by_parcel) if by_parcel else {}
    reports = [
        collect_report(locked[parcel.parcel_id], reported, result, now=now)
        for parcel, reported in by_parcel.items()
        if parcel.parcel_id in locked
    ]
    await add_reported_events(session, reports, cause=Cause(now), receipt_after=receipt_after)
    for report in reports:
        if report.surplus:
            connection = connections[report.shipment.id]
            result.unhandled.update((connection, each) for each in set(describe_surplus(report)))
    for parcel, reported in sorted(coming.items(), key=lambda each: each[0].parcel_id):
        await fold_return(session, parcel, reported, result, resources)
    await count_unhandled(session, result.unhandled, now=now)
    await keep_early_pushes(session, result.early, now=now)
    await delete_pushes(session, result.folded)
    return len(result.folded)


def collect_report(
    shipment: Shipment, pushes: Sequence[StoredPush], result: FoldedPushes, *, now: datetime
) -> ParcelReport:
    """All that pushes say of one parcel, which is locked."""
    return ParcelReport(shipment, collect_facts(shipment, shipment.packed_at, pushes, result, now=now))


def collect_facts(
    parcel: Shipment | ReturnParcel,
    since: datetime,
    pushes: Sequence[StoredPush],
    result: FoldedPushes,
    *,
    now: datetime,
) -> list[TrackingFact]:
    """The facts in all that pushes say of one locked parcel, which is there since then."""
    facts: list[TrackingFact] = []
    for each in pushes:
        possible, unhandled = sift_facts(
            facts_of(each.push.events), number=parcel.tracking_number, since=since, now=now
        )
        facts += possible
        result.add(each, unhandled)
        if each.push.new_company_code or each.push.subscribe_again:
            poll_at = now + SUBSCRIBED_AGAIN_AFTER
            resubscribe(parcel, company_code=each.push.new_company_code, poll_at=poll_at)
    return facts


async def fold_return(
    session: AsyncSession,
    numbered: NumberedParcel,
    pushes: Sequence[StoredPush],
    result: FoldedPushes,
    resources: Resources,
) -> None:
    """Fold what was pushed of a parcel that comes back; nothing where somebody else is changing it."""
    found = await lock_return(session, numbered.parcel_id, skip_locked=True)
    if found is None or found.parcel.ended_at is not None or found.parcel.contested_at is not None:
        return
    parcel, now, deadlines = found.parcel, resources.clock(), deadlines_of(resources.settings)
    facts = collect_facts(parcel, parcel.sent_after, pushes, result, now=now)
    surplus = await add_return_events(session, found, facts, deadlines, cause=Cause(now))
    odd = set(describe_too_many(surplus, parcel.tracking_number))
    result.unhandled.update((pushes[0].number[0], each) for each in odd)


def choose_parcel(parcels: Sequence[NumberedParcel], push: TrackingPush) -> NumberedParcel | None:
    """Of the parcels with the number of a push that whose carrier has its code, else the newest."""
    same = [parcel for parcel in parcels if push.company_code in parcel.company_codes]
    return next(iter(same or parcels), None)


def describe_unknown(stored: StoredPush) -> Unhandled:
    """A push about an unknown parcel, as it came."""
    return Unhandled(UnhandledKind.UNKNOWN_PARCEL, describe_events(stored.push), stored.number[1])


def describe_events(push: TrackingPush) -> str:
    return "; ".join(
        f"{fact.occurred_at.isoformat()} {fact.code} {fact.description}" for fact in facts_of(push.events)
    )


async def postpone_or_set_aside(
    session: AsyncSession, row: IncomingPush, error: Exception, *, now: datetime
) -> None:
    """Let a push wait that could not be folded; after ATTEMPTS_LIMIT it becomes a report for the staff."""
    if row.attempts + 1 < ATTEMPTS_LIMIT:
        await postpone_push(session, row, now=now)
        return
    detail = f"{describe_failure(error)}: {row.content}"
    unhandled = Unhandled(UnhandledKind.NOT_FOLDED, detail, row.tracking_number)
    await count_unhandled(session, {(row.connection, unhandled): 1}, now=now)
    await delete_pushes(session, [row.id])
    log.error("push.set_aside", connection=row.connection, push=row.id)
