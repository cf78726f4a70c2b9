"""A lower bound of what a basket can cost: never above the true lowest total, and quick to compute.

It rests on two facts. Percent, fixed and full reductions leave less of every line when any line costs less,
and never move two baskets further apart; so all of them, one after the other, end at or below what any choice
of them leaves. And promotions only make lines cheaper, so no minimum is reached later that is not reached
now. Of an exclusion group at most one promotion is applied: there is a path for each set of groups used.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from functools import partial
from typing import NamedTuple, TypeVar

from domain.promotion.engine.candidates import Candidate
from domain.promotion.engine.deduction import (
    BasketState,
    amount_missing,
    cost_of_lines,
    deduction_amounts,
    flash_units_by_line,
    reduction_amount,
)
from domain.promotion.engine.rules import FullReduction, Percent, PromotionStage

SCALE = 1024
"""Amounts of the bound are in this fraction of a minor unit, so that rounding never lifts it."""

GROUPS_LIMIT = 4
"""Exclusion groups that are kept apart; promotions of further ones count as if they could be combined."""


class LineBounds(NamedTuple):
    """What every line costs at least, and how much less all together may cost; scaled."""

    lines: list[int]
    slack: int


class TotalBounds(NamedTuple):
    """What lines and fees come to at least; scaled."""

    at_stage_start: int
    """What the lines cost before the promotions for the whole order."""
    lines: int
    fees: int


Path = TypeVar("Path")


class LowerBound:
    """The lower bound for one search."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        by_group: dict[str | tuple[PromotionStage, int], list[int]] = defaultdict(list)
        for index, candidate in enumerate(candidates):
            for group in candidate.groups:
                by_group[group].append(index)
        rivals = {tuple(indexes) for indexes in by_group.values() if len(indexes) > 1}
        largest = sorted(rivals, key=lambda indexes: (-len(indexes), indexes))[:GROUPS_LIMIT]
        self.groups = dict.fromkeys(candidates, 0)
        """A bit for each exclusion group a candidate is in."""
        for bit, indexes in enumerate(largest):
            for index in indexes:
                self.groups[candidates[index]] |= 1 << bit

    def lowest_total(self, rest: Sequence[Candidate], state: BasketState) -> int:
        """Minor units that no legal choice from `rest` brings the total of `state` below.

        `rest` is in its order of application.
        """
        reachable = [candidate for candidate in rest if not amount_missing(candidate, state)]
        by_groups = self.bound_lines([each for each in reachable if each.stage < PromotionStage.ORDER], state)
        fees = sum(state.fees) * SCALE
        paths = {used: TotalBounds(amount, amount, fees) for used, amount in by_groups.items()}
        for candidate in reachable:
            if candidate.stage >= PromotionStage.ORDER:
                fork_paths(paths, self.groups[candidate], total_step(candidate, state), lower_total_bounds)
        return min(-(-(path.lines + path.fees) // SCALE) for path in paths.values())

    def bound_lines(self, rest: Sequence[Candidate], state: BasketState) -> dict[int, int]:
        """What all lines cost at least after the promotions for some of them, by groups used."""
        unsettled = {
            index for each in rest if each.stage is PromotionStage.FLASH for index in each.line_indexes
        }
        paths = {0: LineBounds([amount * SCALE for amount in state.line_totals], 0)}
        for candidate in rest:
            step = line_step(candidate, state, unsettled)
            fork_paths(paths, self.groups[candidate], step, lower_line_bounds)
        return {used: max(0, sum(path.lines) - path.slack) for used, path in paths.items()}


def fork_paths(
    paths: dict[int, Path], groups: int, step: Callable[[Path], Path], lower: Callable[[Path, Path], Path]
) -> None:
    """Take the step on every path; where it uses groups, only on paths that have not, and keep the others."""
    for used, path in list(paths.items()):
        if not groups:
            paths[used] = step(path)
        elif not used & groups:
            there = paths.get(used | groups)
            paths[used | groups] = step(path) if there is None else lower(step(path), there)


def lower_line_bounds(one: LineBounds, other: LineBounds) -> LineBounds:
    """At or below both bounds."""
    return LineBounds(list(map(min, one.lines, other.lines)), max(one.slack, other.slack))


def lower_total_bounds(one: TotalBounds, other: TotalBounds) -> TotalBounds:
    """At or below both bounds."""
    # A higher amount at the start of the stage lets a repeating reduction take more off.
    return TotalBounds(
        max(one.at_stage_start, other.at_stage_start), min(one.lines, other.lines), min(one.fees, other.fees)
    )


def line_step(
    candidate: Candidate, state: BasketState, unsettled: Set[int]
) -> Callable[[LineBounds], LineBounds]:
    """What a promotion for some lines does to a bound; `unsettled` are lines with a flash sale to come."""
    if candidate.stage is PromotionStage.LINES:
        return partial(reduce_lines, candidate, highest_reduction(candidate, state))
    amounts = deduction_amounts(candidate, state, flash_units_by_line(candidate, state))
    if candidate.stage is PromotionStage.UNITS and not unsettled.isdisjoint(candidate.line_indexes):
        # After a flash sale other units may be the cheapest, but they are no dearer.
        return partial(subtract_anywhere, sum(amounts) * SCALE)
    return partial(subtract_from_lines, candidate, amounts)


def subtract_anywhere(amount: int, bounds: LineBounds) -> LineBounds:
    """An amount less, on whichever lines."""
    return LineBounds(bounds.lines, bounds.slack + amount)


def subtract_from_lines(candidate: Candidate, amounts: Sequence[int], bounds: LineBounds) -> LineBounds:
    """The given minor units less on each of the promotion's lines."""
    lines = bounds.lines.copy()
    for index, amount in zip(candidate.line_indexes, amounts, strict=True):
        lines[index] = max(0, lines[index] - amount * SCALE)
    return LineBounds(lines, bounds.slack)


def reduce_lines(candidate: Candidate, limit: int, bounds: LineBounds) -> LineBounds:
    """The bound after a percent, fixed or full reduction of some lines by at most `limit` minor units.

    Largest remainder rounds up at most k of n parts, in the worst case by 1 - k/n each. So much less,
    n/4 in all, may stand on the lines that save a later promotion's part.
    """
    now, count = cost_of_lines(candidate, bounds.lines), len(candidate.line_indexes)
    if not now or not limit:
        return bounds
    amount, lines = highest_scaled_reduction(candidate, limit, now), bounds.lines.copy()
    for index in candidate.line_indexes:
        lines[index] += -lines[index] * amount // now
    return LineBounds(lines, bounds.slack + (count * SCALE // 4 if count > 1 else 0))


def total_step(candidate: Candidate, state: BasketState) -> Callable[[TotalBounds], TotalBounds]:
    """What a promotion for the whole order, or for shipping, does to a bound."""
    if candidate.stage is PromotionStage.SHIPPING:
        return partial(reduce_fees, candidate.promotion.cap)
    before_stage = state.stage < PromotionStage.ORDER
    return partial(reduce_order, candidate, highest_reduction(candidate, state), before_stage)


def reduce_fees(cap: int | None, bounds: TotalBounds) -> TotalBounds:
    """The bound after free shipping of at most `cap` minor units."""
    fees = 0 if cap is None else max(0, bounds.fees - cap * SCALE)
    return TotalBounds(bounds.at_stage_start, bounds.lines, fees)


def reduce_order(candidate: Candidate, limit: int, before_stage: bool, bounds: TotalBounds) -> TotalBounds:
    """The bound after a reduction of the whole order by at most `limit` minor units."""
    at_start = bounds.at_stage_start if before_stage else None
    amount = highest_scaled_reduction(candidate, limit, bounds.lines, at_stage_start=at_start)
    return TotalBounds(bounds.at_stage_start, bounds.lines - amount, bounds.fees)


def highest_reduction(candidate: Candidate, state: BasketState) -> int:
    """Minor units a percent, fixed or full reduction takes off at most, whatever is applied before it."""
    amount, cap = reduction_amount(candidate, state), candidate.promotion.cap
    return amount if cap is None else min(amount, cap)


def highest_scaled_reduction(
    candidate: Candidate, limit: int, now: int, *, at_stage_start: int | None = None
) -> int:
    """What a reduction of at most `limit` minor units takes off lines that cost `now`, scaled, at most.

    A reduction that repeats is a share of what the lines cost when its stage begins, rounded down.
    """
    amount = limit * SCALE
    match candidate.promotion.terms:
        case Percent(percent):
            # Half a minor unit may have been rounded up.
            amount = min(amount, (now * percent + 50 * SCALE) // 100 + 1)
        case FullReduction(tiers, repeating=True) if at_stage_start is not None:
            amount = min(amount, max(at_stage_start * tier.amount // tier.minimum for tier in tiers) + 1)
    return min(now, amount)
