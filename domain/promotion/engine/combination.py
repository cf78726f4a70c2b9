"""Which promotions together make a basket cheapest.

Branch and bound over the legal combinations. A branch is left when everything it could still take off
(`LowerBound`) would not beat the best combination found, so nothing better is missed. The search looks at
promotions at most `STEPS_LIMIT` times. For up to ten candidates that covers every combination, so the result
is the best one; with more candidates it is the best one whenever the bound leaves few enough branches, which
is the usual case. When the limit is reached, the best combination found is completed with whatever still
makes it cheaper: the result is legal, the same for the same facts, never dearer than any promotion by itself,
and no further promotion improves it. Only then may one more promotion ever make a basket dearer.
`Combination.exact` says which of the two it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.promotion.engine.candidates import Candidate
from domain.promotion.engine.deduction import BasketState, apply_promotion
from domain.promotion.engine.lower_bound import LowerBound

STEPS_LIMIT = 4096
"""Times a promotion is looked at while combinations are tried: some tens of milliseconds."""

CANDIDATES_LIMIT = 200
"""Promotions tried in every combination; of more, those that take off the most by themselves."""


@dataclass(frozen=True, slots=True)
class Combination:
    """Promotions that apply together, in their order of application."""

    members: tuple[Candidate, ...]
    exact: bool
    """Whether it is known that no other is cheaper."""


def best_combination(candidates: Sequence[Candidate], start: BasketState) -> Combination:
    """A legal combination with the lowest total; `candidates` are in their order of application."""
    search = CombinationSearch(candidates, start)
    search.try_most_generous_first()
    search.try_all()
    if not search.exact:
        search.complete_best()
    search.drop_needless_limited()
    return Combination(tuple(candidates[index] for index in search.members), search.exact)


class CombinationSearch:
    """One search: the candidates by index, which of them exclude each other, and the best found so far."""

    def __init__(self, candidates: Sequence[Candidate], start: BasketState) -> None:
        self.candidates = candidates
        self.start = start
        self.total = start.total
        self.members: Sequence[int] = ()
        self.excluded = [indexes_excluded_by(candidate, candidates) for candidate in candidates]
        self.by_generosity = self.rank_by_generosity()
        tried = self.by_generosity[:CANDIDATES_LIMIT]
        self.tried = [index for index in sorted(tried) if candidates[index].promotion.stackable]
        self.exact = len(tried) == len(candidates)
        self.lower_bound = LowerBound([candidates[index] for index in self.tried])
        self.in_first_descent = True
        self.steps = 0

    def rank_by_generosity(self) -> list[int]:
        """The candidates by what each takes off by itself, the most first; each is tried as a combination."""
        totals = [self.consider_members([index]) for index in range(len(self.candidates))]
        return sorted(range(len(self.candidates)), key=lambda index: (totals[index], index))

    def try_most_generous_first(self) -> None:
        """Start with a good combination: the most generous, then each next one that is not excluded."""
        chosen: list[int] = []
        for index in self.by_generosity:
            if self.excluded[index].isdisjoint(chosen):
                chosen.append(index)
        self.consider_members(sorted(chosen))

    def try_all(self) -> None:
        """Try every combination of stackable promotions that could be cheaper."""
        self.extend_members(self.start, (), self.tried)

    def extend_members(self, state: BasketState, members: tuple[int, ...], rest: Sequence[int]) -> None:
        """Try each promotion of `rest` after `members`, which have led to `state`, and go on from there."""
        allowed = [index for index in rest if self.excluded[index].isdisjoint(members)]
        for place, index in enumerate(allowed):
            # In the first descent there is nothing to compare with yet.
            descending = not place and self.in_first_descent
            if not descending and self.bound_for(state, allowed[place:]) >= self.total:
                break
            if self.steps >= STEPS_LIMIT:
                self.exact = False
                break
            self.steps += 1
            if step := apply_promotion(self.candidates[index], state):
                self.keep_if_best(step[0].total, (*members, index))
                self.extend_members(step[0], (*members, index), allowed[place + 1 :])
        self.in_first_descent = False

    def bound_for(self, state: BasketState, rest: Sequence[int]) -> int:
        """A total that no choice from `rest` gets below; counts as many steps as it looks at promotions."""
        self.steps += len(rest)
        return self.lower_bound.lowest_total([self.candidates[index] for index in rest], state)

    def complete_best(self) -> None:
        """Add promotions that make the best combination cheaper until none does."""
        before = None
        while before != self.total:
            before = self.total
            for index in range(len(self.candidates)):
                if index not in self.members and self.excluded[index].isdisjoint(self.members):
                    self.consider_members(sorted((*self.members, index)))

    def drop_needless_limited(self) -> None:
        """Leave out each promotion with limited uses without which the total is no higher."""
        for index in [
            index for index in reversed(self.members) if self.candidates[index].promotion.is_limited
        ]:
            others = [member for member in self.members if member != index]
            for members in (others, self.add_unlimited(others)):
                total, used = self.apply_members(members)
                if total <= self.total:
                    self.total, self.members = total, used
                    break

    def add_unlimited(self, members: Sequence[int]) -> Sequence[int]:
        """The members with every promotion without limits that may apply beside them."""
        members = list(members)
        for index in self.by_generosity:
            is_limited = self.candidates[index].promotion.is_limited
            if not is_limited and index not in members and self.excluded[index].isdisjoint(members):
                members.append(index)
        return sorted(members)

    def consider_members(self, members: Sequence[int]) -> int:
        """The total with these promotions, which become the best combination if it is the lowest."""
        total, used = self.apply_members(members)
        self.keep_if_best(total, used)
        return total

    def apply_members(self, members: Sequence[int]) -> tuple[int, Sequence[int]]:
        """The total with these promotions, and which of them take anything off."""
        state, used = self.start, []
        for index in members:
            if step := apply_promotion(self.candidates[index], state):
                state = step[0]
                used.append(index)
        return state.total, used

    def keep_if_best(self, total: int, members: Sequence[int]) -> None:
        if total < self.total:
            self.total, self.members = total, members


def indexes_excluded_by(candidate: Candidate, candidates: Sequence[Candidate]) -> frozenset[int]:
    """The indexes of those that may not apply beside it."""
    return frozenset(
        index
        for index, other in enumerate(candidates)
        if other is not candidate and candidate.excludes(other)
    )
