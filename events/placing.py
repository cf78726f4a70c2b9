"""Orders that come in together are placed together: a data loader turned round.

Nobody waits while nothing is going on: the first goes at once, and who arrives meanwhile is the next group.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import SystemRandom
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from aiodataloader import DataLoader
from sqlalchemy.exc import IntegrityError

from domain.errors import DomainError, ErrorCode, OutOfStock
from domain.offer import OfferGone
from domain.order import Outcome, Placement, SoldMeanwhile, Terms, place_orders, placed_before
from loaders.order import NUMBER_PREFIX
from models import Order

if TYPE_CHECKING:
    from events.shop import Shop

log = structlog.get_logger()

QUICK_LOOKS = 2
"""How often a group looks at shelves that others take from, before it holds them while it looks."""

NUMBERS_DRAWN = 3
"""Eight random digits a day: of a hundred thousand orders some fifty meet one that has theirs."""

INERTIA = 0.8
"""How much of what is known about the time an order takes outlives the next measurement."""

SHORTEST_PAUSE = 0.1
BATCH_LIMIT = 100
"""Keys looked up in one statement."""

JITTER = SystemRandom()


class Busy(DomainError):
    """More orders come in than can be placed in good time: better a word at once than a long wait."""

    code = ErrorCode.BUSY

    def __init__(self, wait_seconds: float) -> None:
        super().__init__("Very many are ordering at this moment. Please try again shortly.")
        pause = max(wait_seconds, SHORTEST_PAUSE)
        self.retry_after_seconds = round(JITTER.uniform(pause / 2, pause), 3)


@dataclass(slots=True, eq=False)
class Waiting:
    """Somebody whose order is going to be placed."""

    placement: Placement
    outcome: "asyncio.Future[Outcome]"

    @property
    def tags(self) -> Iterator[Hashable]:
        """Whom and what it concerns: what shares one of these is better placed one after the other."""
        yield "buyer", self.placement.buyer
        for line in self.placement.wish.lines or ():
            yield "variant", line.variant_id

    def answer(self, outcome: Outcome | Exception) -> None:
        if self.outcome.done():
            return  # who asked has gone away
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


@dataclass(slots=True, eq=False)
class Lane:
    """A queue, and one transaction at a time that serves it."""

    queue: deque[Waiting] = field(default_factory=deque)
    tags: Counter[Hashable] = field(default_factory=Counter)
    serving: "asyncio.Task[None] | None" = None
    busy: int = 0
    """How many are in the group being placed."""

    @property
    def load(self) -> int:
        return len(self.queue) + self.busy

    def join(self, waiting: Waiting) -> None:
        self.queue.append(waiting)
        self.tags.update(waiting.tags)

    def group(self, limit: int) -> list[Waiting]:
        """Those who are next, each buyer once: a second order of the same waits for the first."""
        chosen: list[Waiting] = []
        later: list[Waiting] = []
        buyers: set[int] = set()
        while self.queue and len(chosen) < limit:
            waiting = self.queue.popleft()
            if waiting.outcome.done():
                self.leave([waiting])
            elif waiting.placement.buyer in buyers:
                later.append(waiting)
            else:
                buyers.add(waiting.placement.buyer)
                chosen.append(waiting)
        self.queue.extendleft(reversed(later))
        return chosen

    def leave(self, group: Iterable[Waiting]) -> None:
        for waiting in group:
            self.tags.subtract(waiting.tags)
        self.tags += Counter()  # what is at nought goes


class SoldOut:
    """Variants found sold out a moment ago, each with the refusal of whoever found it so.

    It lasts so short that nobody is kept from what has come back, even by another process.
    """

    def __init__(self) -> None:
        self.known: dict[int, tuple[float, OutOfStock]] = {}

    def remember(self, variant_id: int, refusal: OutOfStock, *, seconds: float) -> None:
        self.known[variant_id] = (monotonic() + seconds, refusal)

    def forget(self, variant_ids: Iterable[int]) -> None:
        for variant_id in variant_ids:
            self.known.pop(variant_id, None)

    def refusal(self, placement: Placement) -> OutOfStock | None:
        """Why this cannot be placed just now, if it is known beforehand."""
        if not self.known:
            return None
        for index, line in enumerate(placement.wish.lines or ()):
            if known := self.known.get(line.variant_id):
                until, refusal = known
                if monotonic() < until:
                    return refusal.of_line(index)
                del self.known[line.variant_id]
        return None


class Placing:
    """Where all orders of this process are placed."""

    def __init__(self) -> None:
        self.lanes: list[Lane] = []
        self.sold_out = SoldOut()
        self.earlier: DataLoader[Placement, Outcome | None] | None = None
        self.seconds_each = 0.0
        """How long a lane has lately been busy with one order."""

    async def place(self, shop: "Shop", placement: Placement) -> Order:
        """An order, when its group has been committed; its refusal is raised."""
        if refusal := self.sold_out.refusal(placement):
            return granted(await self.before(shop, placement) or refusal)
        lane = self.lane_for(shop, placement)
        self.admit(shop, lane)
        waiting = Waiting(placement, asyncio.get_running_loop().create_future())
        lane.join(waiting)
        if lane.serving is None:
            lane.serving = asyncio.create_task(self.serve(shop, lane))
        return granted(await waiting.outcome)

    async def drain(self) -> None:
        """Until everybody who was let in has an answer."""
        while serving := [lane.serving for lane in self.lanes if lane.serving]:
            await asyncio.wait(serving)

    async def before(self, shop: "Shop", placement: Placement) -> Outcome | None:
        """What came of the same key before; asked at once for all who are told of a sell-out together."""
        if self.earlier is None:

            async def asked(placements: list[Placement]) -> list[Outcome | None]:
                async with shop.database.reads() as session:
                    return await placed_before(session, placements)

            self.earlier = DataLoader(asked, cache=False, max_batch_size=BATCH_LIMIT)
        return await self.earlier.load(placement)

    def lane_for(self, shop: "Shop", placement: Placement) -> Lane:
        """Where the buyer or something they want is being served already, else where least is going on."""
        if not self.lanes:
            one_writer = shop.database.dialect == "sqlite"
            self.lanes = [Lane() for _ in range(1 if one_writer else shop.settings.placing_lanes)]
        wanted = {("buyer", placement.buyer)}
        if shop.settings.placing_group_limit > 1:
            wanted |= {("variant", line.variant_id) for line in placement.wish.lines or ()}
        for lane in self.lanes:
            if not lane.tags.keys().isdisjoint(wanted):
                return lane
        return min(self.lanes, key=lambda lane: lane.load)

    def admit(self, shop: "Shop", lane: Lane) -> None:
        """Let nobody in who would wait too long."""
        wait = lane.load * self.seconds_each
        if (
            wait > shop.settings.placing_wait_limit.total_seconds()
            or lane.load >= shop.settings.placing_limit
        ):
            raise Busy(wait)

    async def serve(self, shop: "Shop", lane: Lane) -> None:
        """One group after the other, until nobody waits."""
        try:
            while group := lane.group(shop.settings.placing_group_limit):
                lane.busy, began = len(group), monotonic()
                await self.serve_group(shop, group)
                lane.leave(group)
                each = (monotonic() - began) / len(group)
                self.seconds_each = INERTIA * self.seconds_each + (1 - INERTIA) * each
        finally:
            lane.busy, lane.serving = 0, None

    async def serve_group(self, shop: "Shop", group: Sequence[Waiting]) -> None:
        outcomes = await self.outcomes(shop, [waiting.placement for waiting in group])
        if any(isinstance(outcome, Order) for outcome in outcomes):
            shop.wake()
        seconds = shop.settings.sold_out_remembered.total_seconds()
        for waiting, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, OutOfStock) and outcome.variant_id is not None and not outcome.left:
                self.sold_out.remember(outcome.variant_id, outcome, seconds=seconds)
            waiting.answer(outcome)

    async def outcomes(self, shop: "Shop", placements: Sequence[Placement]) -> Sequence[Outcome | Exception]:
        """What comes of each. When something unforeseen happens, it happens to one alone."""
        if len(placements) > 1:
            try:
                return await together(shop, placements)
            except Exception as error:
                log.warning("placing.one_by_one", members=len(placements), error=type(error).__name__)
        return [await alone(shop, placement) for placement in placements]


async def alone(shop: "Shop", placement: Placement, *, draws: int = NUMBERS_DRAWN) -> Outcome | Exception:
    """What comes of one; where its number is another order's by chance, it draws a new one."""
    try:
        [outcome] = await together(shop, [placement])
    except IntegrityError as error:
        if draws == 1:
            return error
        number = shop.secrets.number(NUMBER_PREFIX, shop.clock())
        log.warning("placing.number_taken", number=placement.number, instead=number)
        return await alone(shop, replace(placement, number=number), draws=draws - 1)
    except Exception as error:
        return error
    return outcome


async def together(shop: "Shop", placements: Sequence[Placement]) -> Sequence[Outcome]:
    """All of them in one transaction, and again where somebody else was quicker at a shelf or an offer."""
    for _ in range(QUICK_LOOKS):
        with suppress(SoldMeanwhile, OfferGone):
            return await attempt(shop, placements, hold=False)
    return await attempt(shop, placements, hold=True)


async def attempt(shop: "Shop", placements: Sequence[Placement], *, hold: bool) -> Sequence[Outcome]:
    settings = shop.settings
    terms = Terms(
        frozenset(shop.payments), settings.unpaid_order_closes_after, settings.flash_order_closes_after
    )
    async with shop.database.writes() as session:
        outcomes = await place_orders(session, placements, terms, now=shop.clock(), hold=hold)
        if any(isinstance(outcome, Order) for outcome in outcomes):
            await session.commit()
        return outcomes


def granted(outcome: Outcome) -> Order:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome
