"""How cheap a basket can still become: never above the truth, and quickly known.

Two facts carry it. Percent, fixed and full reductions leave less of every line when any line costs less,
and bring two baskets no further apart; so all of them one after the other end at or below what any choice
of them leaves. And offers only make goods cheaper, so no minimum is reached later that is not reached
now. Of an exclusion group at most one is run: there is a path for each set of groups used.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from functools import partial
from typing import NamedTuple, TypeVar

from domain.promotion.apply import State, cost, parts, reduction, shortfall, special_units
from domain.promotion.candidates import Candidate
from domain.promotion.offers import FullReduction, Percent, Stage

FINE = 1024
"""The bound reckons in this fraction of a minor unit."""

GROUPS_LIMIT = 4
"""Exclusion groups that are kept apart; offers of further ones are run as if they could be combined."""


class Lines(NamedTuple):
    """What every line costs at least, and how much less all together may cost."""

    goods: list[int]
    less: int


class Sums(NamedTuple):
    """What goods and fees come to at least; `entry` is what the goods were before offers for everything."""

    entry: int
    goods: int
    fees: int


Path = TypeVar("Path")


class Bound:
    """The bound for one search."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        by_group: dict[str | tuple[Stage, int], list[int]] = defaultdict(list)
        for index, candidate in enumerate(candidates):
            for group in candidate.groups:
                by_group[group].append(index)
        rivals = {tuple(indexes) for indexes in by_group.values() if len(indexes) > 1}
        largest = sorted(rivals, key=lambda indexes: (-len(indexes), indexes))[:GROUPS_LIMIT]
        self.groups = dict.fromkeys(candidates, 0)
        for bit, indexes in enumerate(largest):
            for index in indexes:
                self.groups[candidates[index]] |= 1 << bit

    def of(self, rest: Sequence[Candidate], state: State) -> int:
        """No legal choice of offers from `rest`, in their order, brings the total of `state` below this."""
        reachable = [candidate for candidate in rest if not shortfall(candidate, state)]
        goods = self.after_lines([each for each in reachable if each.stage < Stage.ORDER], state)
        fees = sum(state.fees) * FINE
        sums = {used: Sums(amount, amount, fees) for used, amount in goods.items()}
        for candidate in reachable:
            if candidate.stage >= Stage.ORDER:
                fork(sums, self.groups[candidate], step_of_sums(candidate, state), lower_sums)
        return min(-(-(path.goods + path.fees) // FINE) for path in sums.values())

    def after_lines(self, rest: Sequence[Candidate], state: State) -> dict[int, int]:
        """What all goods cost at least after the offers for some of them, by groups used."""
        unsettled = {place for each in rest if each.stage is Stage.FLASH for place in each.places}
        paths = {0: Lines([amount * FINE for amount in state.left], 0)}
        for candidate in rest:
            fork(paths, self.groups[candidate], step_of_lines(candidate, state, unsettled), lower_lines)
        return {used: max(0, sum(path.goods) - path.less) for used, path in paths.items()}


def fork(
    paths: dict[int, Path], groups: int, step: Callable[[Path], Path], lower: Callable[[Path, Path], Path]
) -> None:
    """Take the step on every path; where it uses groups, only on those that have not, and keep the others."""
    for used, path in list(paths.items()):
        if not groups:
            paths[used] = step(path)
        elif not used & groups:
            there = paths.get(used | groups)
            paths[used | groups] = step(path) if there is None else lower(step(path), there)


def lower_lines(one: Lines, other: Lines) -> Lines:
    return Lines(list(map(min, one.goods, other.goods)), max(one.less, other.less))


def lower_sums(one: Sums, other: Sums) -> Sums:
    # A higher entry lets more be taken.
    return Sums(max(one.entry, other.entry), min(one.goods, other.goods), min(one.fees, other.fees))


def step_of_lines(candidate: Candidate, state: State, unsettled: Set[int]) -> Callable[[Lines], Lines]:
    if candidate.stage is Stage.LINES:
        return partial(reduce_lines, candidate, at_most(candidate, state))
    taken = parts(candidate, state, special_units(candidate, state))
    if candidate.stage is Stage.UNITS and not unsettled.isdisjoint(candidate.places):
        # After a flash sale other units may be the cheapest, but they are no dearer.
        return partial(take_somewhere, sum(taken) * FINE)
    return partial(take_units, candidate, taken)


def take_somewhere(amount: int, path: Lines) -> Lines:
    return Lines(path.goods, path.less + amount)


def take_units(candidate: Candidate, taken: Sequence[int], path: Lines) -> Lines:
    goods = path.goods.copy()
    for place, part in zip(candidate.places, taken, strict=True):
        goods[place] = max(0, goods[place] - part * FINE)
    return Lines(goods, path.less)


def reduce_lines(candidate: Candidate, takes: int, path: Lines) -> Lines:
    """The path after an offer of an amount for some of the goods.

    Largest remainder rounds up at most k of n parts, in the worst case by 1 - k/n each. So much less,
    n/4 in all, may stand on the lines that save a later offer's part.
    """
    now, lines = cost(candidate, path.goods), len(candidate.places)
    if not now or not takes:
        return path
    part, goods = of_at_most(candidate, takes, now), path.goods.copy()
    for place in candidate.places:
        goods[place] += -goods[place] * part // now
    return Lines(goods, path.less + (lines * FINE // 4 if lines > 1 else 0))


def step_of_sums(candidate: Candidate, state: State) -> Callable[[Sums], Sums]:
    if candidate.stage is Stage.SHIPPING:
        return partial(ship, candidate.offer.cap)
    return partial(reduce_sum, candidate, at_most(candidate, state), state.stage < Stage.ORDER)


def ship(cap: int | None, path: Sums) -> Sums:
    return Sums(path.entry, path.goods, 0 if cap is None else max(0, path.fees - cap * FINE))


def reduce_sum(candidate: Candidate, takes: int, early: bool, path: Sums) -> Sums:
    part = of_at_most(candidate, takes, path.goods, entry=path.entry if early else None)
    return Sums(path.entry, path.goods - part, path.fees)


def at_most(candidate: Candidate, state: State) -> int:
    """What an offer of an amount takes after `state` at most, whatever is applied before it."""
    amount, cap = reduction(candidate, state), candidate.offer.cap
    return amount if cap is None else min(amount, cap)


def of_at_most(candidate: Candidate, takes: int, now: int, *, entry: int | None = None) -> int:
    """What an offer that takes no more than `takes` takes of goods that cost `now`, in fine parts, at most.

    A reduction that repeats is a share of what the goods cost when its stage begins, rounded down.
    """
    amount = takes * FINE
    match candidate.offer.terms:
        case Percent(percent):
            # Half a minor unit may have been rounded up.
            amount = min(amount, (now * percent + 50 * FINE) // 100 + 1)
        case FullReduction(tiers, repeating=True) if entry is not None:
            amount = min(amount, max(entry * tier.amount // tier.minimum for tier in tiers) + 1)
    return min(now, amount)
