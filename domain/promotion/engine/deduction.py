"""What one promotion takes off a basket, after the promotions that were applied before it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.money import apportion
from domain.promotion.engine.basket import Basket
from domain.promotion.engine.candidates import Candidate
from domain.promotion.engine.rules import (
    BuyGet,
    Fixed,
    FlashPrice,
    FreeShipping,
    FullReduction,
    Percent,
    PromotionStage,
)

UnitPrices = Sequence[tuple[int, int]]
"""(price in minor units, count): what the units of a line cost, those at a special price apart."""


@dataclass(frozen=True, slots=True)
class BasketState:
    """What lines and fees cost after some promotions, in minor units."""

    stage: PromotionStage
    at_stage_start: Sequence[int]
    """What each line cost when the stage began."""
    line_totals: Sequence[int]
    """What each line costs now."""
    unit_prices: Sequence[UnitPrices]
    fees: Sequence[int]
    total: int


@dataclass(frozen=True, slots=True)
class Deduction:
    """What a promotion takes off each of its lines or, for free shipping, off each fee, in minor units."""

    candidate: Candidate
    amounts: Sequence[int]
    flash_units: Sequence[int] = ()
    """Units of each line that a flash sale gives its price."""

    @property
    def total(self) -> int:
        return sum(self.amounts)


def undiscounted_state(basket: Basket) -> BasketState:
    """A basket at ordinary prices, before any promotion."""
    totals = [line.unit_price.minor * line.quantity for line in basket.lines]
    fees = [fee.minor for fee in basket.fees]
    unit_prices = [[(line.unit_price.minor, line.quantity)] for line in basket.lines]
    return BasketState(PromotionStage.FLASH, totals, totals, unit_prices, fees, sum(totals) + sum(fees))


def cost_of_lines(candidate: Candidate, amounts: Sequence[int]) -> int:
    """The sum of `amounts`, one per line of the basket, over the lines of the promotion."""
    if len(candidate.line_indexes) == len(amounts):
        return sum(amounts)
    return sum([amounts[index] for index in candidate.line_indexes])


def qualifying_amount(candidate: Candidate, state: BasketState) -> int:
    """What the promotion's lines cost when its stage begins, as far as that is known at `state`."""
    in_stage = state.stage is candidate.stage
    return cost_of_lines(candidate, state.at_stage_start if in_stage else state.line_totals)


def amount_missing(candidate: Candidate, state: BasketState) -> int:
    """How much more its lines would have to cost, in minor units; 0 when they cost enough."""
    return max(0, candidate.threshold - qualifying_amount(candidate, state)) if candidate.threshold else 0


def apply_promotion(candidate: Candidate, state: BasketState) -> tuple[BasketState, Deduction] | None:
    """The state after the promotion and what it takes off; None when it takes nothing off."""
    if amount_missing(candidate, state):
        return None
    flash_units = flash_units_by_line(candidate, state)
    deduction = Deduction(candidate, deduction_amounts(candidate, state, flash_units), flash_units)
    return (state_after(deduction, state), deduction) if any(deduction.amounts) else None


def apply_promotions(
    candidates: Iterable[Candidate], state: BasketState
) -> tuple[list[BasketState], list[Deduction]]:
    """Promotions in their order of application: the state before each and the last one, and each deduction.

    Those that take nothing off are left out of both lists.
    """
    states, deductions = [state], []
    for candidate in candidates:
        if step := apply_promotion(candidate, states[-1]):
            states.append(step[0])
            deductions.append(step[1])
    return states, deductions


def deduction_amounts(candidate: Candidate, state: BasketState, flash_units: Sequence[int]) -> Sequence[int]:
    """What the promotion takes off each of its lines or off each fee; its minimum must be reached."""
    cap = candidate.promotion.cap
    match candidate.promotion.terms:
        case FlashPrice(unit_amount):
            prices = [state.unit_prices[index][0][0] for index in candidate.line_indexes]
            saved = [(price - unit_amount) * units for price, units in zip(prices, flash_units, strict=True)]
            return cap_amounts(saved, cap)
        case BuyGet(buy, get):
            return share_free_units(candidate, state, buy=buy, get=get)
        case FreeShipping():
            return cap_amounts(state.fees, cap)
        case _:
            amount = reduction_amount(candidate, state)
            weights = [state.line_totals[index] for index in candidate.line_indexes]
            return apportion(amount if cap is None else min(amount, cap), weights)


def cap_amounts(amounts: Sequence[int], cap: int | None) -> Sequence[int]:
    """The amounts, lowered in proportion where their sum is above the cap."""
    return amounts if cap is None or sum(amounts) <= cap else apportion(cap, amounts)


def reduction_amount(candidate: Candidate, state: BasketState) -> int:
    """What a percent, fixed or full reduction takes off its lines before its cap, at most what they cost.

    TypeError for other kinds of promotion.
    """
    now = cost_of_lines(candidate, state.line_totals)
    match candidate.promotion.terms:
        case Percent(percent):
            return (now * percent + 50) // 100
        case Fixed(amount):
            return min(amount, now)
        case FullReduction() as terms:
            return min(terms.reduction_for(qualifying_amount(candidate, state)), now)
        case _:
            raise TypeError(f"{candidate.promotion.kind} is not a promotion of an amount")


def flash_units_by_line(candidate: Candidate, state: BasketState) -> Sequence[int]:
    """Units of each of its lines that a flash sale gives its price, the first lines that cost more first."""
    terms = candidate.promotion.terms
    if not isinstance(terms, FlashPrice):
        return ()
    allowed, units = candidate.flash_units_allowed, []
    for index in candidate.line_indexes:
        price, count = state.unit_prices[index][0]
        taken = min(allowed, count) if terms.unit_amount < price else 0
        allowed -= taken
        units.append(taken)
    return units


def share_free_units(candidate: Candidate, state: BasketState, *, buy: int, get: int) -> Sequence[int]:
    """What the free units cost, at most the cap, shared over the units of all sets by their price.

    The cheapest units that cost anything are free, and the sets are completed with the next cheapest ones;
    the dearest units belong to no set where they make none.
    """
    priced_units = sorted(
        (price, index, count)
        for index in candidate.line_indexes
        for price, count in state.unit_prices[index]
        if price
    )
    sets = sum(count for _, _, count in priced_units) // (buy + get)
    free, in_sets, amount = sets * get, sets * (buy + get), 0
    weights = dict.fromkeys(candidate.line_indexes, 0)
    for price, index, count in priced_units:
        amount += price * min(free, count)
        weights[index] += price * min(in_sets, count)
        free -= min(free, count)
        in_sets -= min(in_sets, count)
    cap = candidate.promotion.cap
    return apportion(amount if cap is None else min(amount, cap), list(weights.values()))


def state_after(deduction: Deduction, state: BasketState) -> BasketState:
    """What everything costs after the deduction."""
    candidate, total = deduction.candidate, state.total - deduction.total
    at_start = state.at_stage_start if state.stage is candidate.stage else state.line_totals
    if candidate.stage is PromotionStage.SHIPPING:
        fees = [fee - amount for fee, amount in zip(state.fees, deduction.amounts, strict=True)]
        return BasketState(candidate.stage, at_start, state.line_totals, state.unit_prices, fees, total)
    totals = list(state.line_totals)
    for index, amount in zip(candidate.line_indexes, deduction.amounts, strict=True):
        totals[index] -= amount
    unit_prices = unit_prices_after(deduction, state)
    return BasketState(candidate.stage, at_start, totals, unit_prices, state.fees, total)


def unit_prices_after(deduction: Deduction, state: BasketState) -> Sequence[UnitPrices]:
    """Unit prices with the units of a flash sale apart; other promotions leave them as they are."""
    terms = deduction.candidate.promotion.terms
    if not isinstance(terms, FlashPrice):
        return state.unit_prices
    unit_prices = list(state.unit_prices)
    for index, flash_units in zip(deduction.candidate.line_indexes, deduction.flash_units, strict=True):
        [(price, count)] = state.unit_prices[index]
        unit_prices[index] = [(price, count - flash_units), (terms.unit_amount, flash_units)]
    return unit_prices
