"""Which offers together make a basket cheapest.

Branch and bound over the legal combinations. A branch is left when everything it could still take
(`bound`) would not beat the best found, so nothing better is ever missed. The search looks at offers
`STEPS_LIMIT` times. Up to ten candidates that is enough for all combinations, so the answer is always the
best; of more candidates it is whenever the bound leaves few enough, which is the rule. Should the limit be
reached, the best found is completed with whatever still makes it cheaper: a legal combination, the same
for the same facts, never dearer than any offer alone, and which no further offer improves; only then may
one offer more to choose from ever make a basket dearer. `Combination.exact` says which of the two it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.promotion.apply import State, apply
from domain.promotion.bound import Bound
from domain.promotion.candidates import Candidate

STEPS_LIMIT = 4096
"""Times an offer is looked at while combinations are tried: some tens of milliseconds."""

CANDIDATES_LIMIT = 200
"""Offers tried in every combination; of more, those that take the most alone."""


@dataclass(frozen=True, slots=True)
class Combination:
    """Offers that apply together, in their order of application."""

    members: tuple[Candidate, ...]
    exact: bool
    """Whether it is known that no other is better."""


def best_combination(candidates: Sequence[Candidate], start: State) -> Combination:
    """A legal combination with the lowest total; `candidates` are in their order of application."""
    search = Search(candidates, start)
    search.try_most_generous_first()
    search.try_all()
    if not search.exact:
        search.complete()
    search.leave_out_needless()
    return Combination(tuple(candidates[index] for index in search.members), search.exact)


class Search:
    """One search: the candidates by number, who excludes whom, and the best so far."""

    def __init__(self, candidates: Sequence[Candidate], start: State) -> None:
        self.candidates = candidates
        self.start = start
        self.total = start.total
        self.members: Sequence[int] = ()
        self.excluded = [excluded(one, candidates) for one in candidates]
        self.generous = self.most_generous_first()
        tried = self.generous[:CANDIDATES_LIMIT]
        self.tried = [index for index in sorted(tried) if candidates[index].offer.stackable]
        self.exact = len(tried) == len(candidates)
        self.bounds = Bound([candidates[index] for index in self.tried])
        self.first = True
        self.steps = 0

    def most_generous_first(self) -> list[int]:
        """The candidates by what each takes alone, each of which is a combination tried."""
        totals = [self.consider([index]) for index in range(len(self.candidates))]
        return sorted(range(len(self.candidates)), key=lambda index: (totals[index], index))

    def try_most_generous_first(self) -> None:
        """A good beginning: whatever goes beside what was taken before."""
        taken: list[int] = []
        for index in self.generous:
            if self.excluded[index].isdisjoint(taken):
                taken.append(index)
        self.consider(sorted(taken))

    def try_all(self) -> None:
        """Every combination of stackable offers that could be better."""
        self.extend(self.start, (), self.tried)

    def extend(self, state: State, members: tuple[int, ...], rest: Sequence[int]) -> None:
        """`members` have led to `state`; try each offer of `rest` as the next, and so on."""
        allowed = [index for index in rest if self.excluded[index].isdisjoint(members)]
        for place, index in enumerate(allowed):
            # Going down for the first time there is nothing yet to compare with.
            down = not place and self.first
            if not down and self.bound(state, allowed[place:]) >= self.total:
                break
            if self.steps >= STEPS_LIMIT:
                self.exact = False
                break
            self.steps += 1
            if step := apply(self.candidates[index], state):
                self.keep(step[0].total, (*members, index))
                self.extend(step[0], (*members, index), allowed[place + 1 :])
        self.first = False

    def bound(self, state: State, rest: Sequence[int]) -> int:
        self.steps += len(rest)
        return self.bounds.of([self.candidates[index] for index in rest], state)

    def complete(self) -> None:
        """Add what makes the best cheaper until nothing does."""
        before = None
        while before != self.total:
            before = self.total
            for index in range(len(self.candidates)):
                if index not in self.members and self.excluded[index].isdisjoint(self.members):
                    self.consider(sorted((*self.members, index)))

    def leave_out_needless(self) -> None:
        """What may be used only so often is kept where the total is no higher without it."""
        for index in [index for index in reversed(self.members) if self.candidates[index].offer.limited]:
            others = [member for member in self.members if member != index]
            for members in (others, self.with_unlimited(others)):
                total, used = self.run(members)
                if total <= self.total:
                    self.total, self.members = total, used
                    break

    def with_unlimited(self, members: Sequence[int]) -> Sequence[int]:
        members = list(members)
        for index in self.generous:
            limited = self.candidates[index].offer.limited
            if not limited and index not in members and self.excluded[index].isdisjoint(members):
                members.append(index)
        return sorted(members)

    def consider(self, members: Sequence[int]) -> int:
        """The total with these; kept if it is the best."""
        total, used = self.run(members)
        self.keep(total, used)
        return total

    def run(self, members: Sequence[int]) -> tuple[int, Sequence[int]]:
        """The total, and which of them take anything."""
        state, used = self.start, []
        for index in members:
            if step := apply(self.candidates[index], state):
                state = step[0]
                used.append(index)
        return state.total, used

    def keep(self, total: int, members: Sequence[int]) -> None:
        if total < self.total:
            self.total, self.members = total, members


def excluded(one: Candidate, candidates: Sequence[Candidate]) -> frozenset[int]:
    """The numbers of those that may not apply beside it."""
    return frozenset(
        index for index, other in enumerate(candidates) if other is not one and one.excludes(other)
    )
