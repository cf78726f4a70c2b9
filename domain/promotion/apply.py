"""One offer after the other, each on what the ones before it left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.money import apportion
from domain.promotion.basket import Basket
from domain.promotion.candidates import Candidate
from domain.promotion.offers import BuyGet, Fixed, FlashSale, FreeShipping, FullReduction, Percent, Stage

Units = Sequence[tuple[int, int]]
"""(price, count): what the units of a line cost, those at a special price apart."""


@dataclass(frozen=True, slots=True)
class State:
    """What everything costs after some offers."""

    stage: Stage
    entry: Sequence[int]
    """What the lines cost when the stage began."""
    left: Sequence[int]
    """What the lines cost now."""
    units: Sequence[Units]
    fees: Sequence[int]
    total: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What an offer takes: a part of each of its lines or, for free shipping, of each fee."""

    candidate: Candidate
    parts: Sequence[int]
    special_units: Sequence[int] = ()
    """Units of each line that a flash sale gives its price."""

    @property
    def amount(self) -> int:
        return sum(self.parts)


def undiscounted(basket: Basket) -> State:
    """A basket at ordinary prices."""
    left = [line.unit.minor * line.quantity for line in basket.lines]
    fees = [fee.minor for fee in basket.fees]
    units = [[(line.unit.minor, line.quantity)] for line in basket.lines]
    return State(Stage.FLASH, left, left, units, fees, sum(left) + sum(fees))


def cost(candidate: Candidate, amounts: Sequence[int]) -> int:
    """The sum over the lines of the offer."""
    if len(candidate.places) == len(amounts):
        return sum(amounts)
    return sum([amounts[place] for place in candidate.places])


def measured(candidate: Candidate, state: State) -> int:
    """What the offer's goods cost when its stage begins, as far as that is known at `state`."""
    return cost(candidate, state.entry if state.stage is candidate.stage else state.left)


def shortfall(candidate: Candidate, state: State) -> int:
    """How much more its goods would have to cost; 0 when they cost enough."""
    return max(0, candidate.threshold - measured(candidate, state)) if candidate.threshold else 0


def apply(candidate: Candidate, state: State) -> tuple[State, Cut] | None:
    """What the offer leaves and what it takes; None when it takes nothing."""
    if shortfall(candidate, state):
        return None
    special = special_units(candidate, state)
    cut = Cut(candidate, parts(candidate, state, special), special)
    return (after(cut, state), cut) if any(cut.parts) else None


def apply_all(candidates: Iterable[Candidate], state: State) -> tuple[list[State], list[Cut]]:
    """Offers in their order of application: the state before each and the last one, and what each takes.

    Those that take nothing are passed over.
    """
    states, cuts = [state], []
    for candidate in candidates:
        if step := apply(candidate, states[-1]):
            states.append(step[0])
            cuts.append(step[1])
    return states, cuts


def parts(candidate: Candidate, state: State, special: Sequence[int]) -> Sequence[int]:
    """What the offer takes of each of its lines or of each fee; its minimum is reached."""
    cap = candidate.offer.cap
    match candidate.offer.terms:
        case FlashSale(unit_amount):
            prices = [state.units[place][0][0] for place in candidate.places]
            saved = [(price - unit_amount) * units for price, units in zip(prices, special, strict=True)]
            return capped(saved, cap)
        case BuyGet(buy, get):
            return capped(free_parts(candidate, state, buy=buy, get=get), cap)
        case FreeShipping():
            return capped(state.fees, cap)
        case _:
            amount = reduction(candidate, state)
            weights = [state.left[place] for place in candidate.places]
            return apportion(amount if cap is None else min(amount, cap), weights)


def capped(wanted: Sequence[int], cap: int | None) -> Sequence[int]:
    return wanted if cap is None or sum(wanted) <= cap else apportion(cap, wanted)


def reduction(candidate: Candidate, state: State) -> int:
    """What an offer of an amount takes off its lines, before its cap; at most what they cost."""
    now = cost(candidate, state.left)
    match candidate.offer.terms:
        case Percent(percent):
            return (now * percent + 50) // 100
        case Fixed(amount):
            return min(amount, now)
        case FullReduction() as terms:
            return min(terms.reduction(measured(candidate, state)), now)
        case _:
            raise TypeError(f"{candidate.offer.kind} is not an offer of an amount")


def special_units(candidate: Candidate, state: State) -> Sequence[int]:
    """How many units of each of its lines a flash sale gives its price: the first ones that cost more."""
    terms = candidate.offer.terms
    if not isinstance(terms, FlashSale):
        return ()
    allowed, units = candidate.units, []
    for place in candidate.places:
        price, count = state.units[place][0]
        taken = min(allowed, count) if terms.unit_amount < price else 0
        allowed -= taken
        units.append(taken)
    return units


def free_parts(candidate: Candidate, state: State, *, buy: int, get: int) -> list[int]:
    """The cheapest units that cost anything are free."""
    offered = sorted(
        (price, place, count) for place in candidate.places for price, count in state.units[place] if price
    )
    free = sum(count for _, _, count in offered) // (buy + get) * get
    saved = dict.fromkeys(candidate.places, 0)
    for price, place, count in offered:
        saved[place] += price * min(free, count)
        free -= min(free, count)
    return list(saved.values())


def after(cut: Cut, state: State) -> State:
    candidate, total = cut.candidate, state.total - cut.amount
    entry = state.entry if state.stage is candidate.stage else state.left
    if candidate.stage is Stage.SHIPPING:
        fees = [fee - part for fee, part in zip(state.fees, cut.parts, strict=True)]
        return State(candidate.stage, entry, state.left, state.units, fees, total)
    left = list(state.left)
    for place, part in zip(candidate.places, cut.parts, strict=True):
        left[place] -= part
    return State(candidate.stage, entry, left, units_after(cut, state), state.fees, total)


def units_after(cut: Cut, state: State) -> Sequence[Units]:
    terms = cut.candidate.offer.terms
    if not isinstance(terms, FlashSale):
        return state.units
    units = list(state.units)
    for place, special in zip(cut.candidate.places, cut.special_units, strict=True):
        [(price, count)] = state.units[place]
        units[place] = [(price, count - special), (terms.unit_amount, special)]
    return units
