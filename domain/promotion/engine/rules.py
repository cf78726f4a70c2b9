"""Promotions as the engine sees them: terms, scope, period, limits and what they combine with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from domain.promotion.engine.basket import BasketLine
from models import CurrencyCode, PromotionKind, PromotionScopeKind
from text.messages import Localized, Message


class PromotionStage(IntEnum):
    """When a promotion is applied; `domain.promotion.engine` says what each stage measures."""

    FLASH = 1
    UNITS = 2
    LINES = 3
    ORDER = 4
    SHIPPING = 5


@dataclass(frozen=True, slots=True)
class Percent:
    """`percent` of what the items cost; half a minor unit is rounded up."""

    percent: int

    def __post_init__(self) -> None:
        ensure_valid(0 < self.percent <= 100, "a percentage is 1 to 100")


@dataclass(frozen=True, slots=True)
class Fixed:
    """An amount in minor units, at most what the items cost."""

    amount: int

    def __post_init__(self) -> None:
        ensure_valid(self.amount > 0, "an amount is positive")


@dataclass(frozen=True, slots=True)
class Tier:
    """`amount` off when the items cost at least `minimum`, both in minor units."""

    minimum: int
    amount: int

    def __post_init__(self) -> None:
        ensure_valid(self.minimum > 0 and self.amount > 0, "a step and what it gives are positive")


@dataclass(frozen=True, slots=True)
class FullReduction:
    """The best tier the items reach (满减); `repeating` gives it as often as it fits (每满减)."""

    tiers: tuple[Tier, ...]
    repeating: bool = False

    def __post_init__(self) -> None:
        ensure_valid(bool(self.tiers), "a full reduction has a step")

    def reduction_for(self, amount: int) -> int:
        """What items that cost `amount` are reduced by, in minor units; never less for more."""
        return max((self._times_reached(tier, amount) * tier.amount for tier in self.tiers), default=0)

    def _times_reached(self, tier: Tier, amount: int) -> int:
        times = amount // tier.minimum
        return times if self.repeating else min(times, 1)


@dataclass(frozen=True, slots=True)
class BuyGet:
    """Of every `buy` + `get` units, whichever they are, `get` are free: the cheapest of all.

    What they cost comes off all units of the sets. A unit that costs nothing anyway does not count.
    """

    buy: int
    get: int

    def __post_init__(self) -> None:
        ensure_valid(self.buy > 0 and self.get > 0, "units bought and given are positive")


@dataclass(frozen=True, slots=True)
class FreeShipping:
    """All shipping fees; with a cap, at most that amount of them."""


@dataclass(frozen=True, slots=True)
class FlashPrice:
    """The next `left` units at `unit_amount` minor units each, the rest at the ordinary price."""

    unit_amount: int
    left: int
    per_buyer: int | None = None
    """Units one buyer may have at this price in all orders together."""

    def __post_init__(self) -> None:
        ensure_valid(self.unit_amount > 0 and self.left >= 0, "a special price is positive")


Terms = Percent | Fixed | FullReduction | BuyGet | FreeShipping | FlashPrice

KIND_BY_TERMS: dict[type[Terms], PromotionKind] = {
    Percent: PromotionKind.PERCENT,
    Fixed: PromotionKind.FIXED,
    FullReduction: PromotionKind.FULL_REDUCTION,
    BuyGet: PromotionKind.BUY_N_GET_M,
    FreeShipping: PromotionKind.FREE_SHIPPING,
    FlashPrice: PromotionKind.FLASH_SALE,
}

STAGE_BY_KIND = {
    PromotionKind.FLASH_SALE: PromotionStage.FLASH,
    PromotionKind.BUY_N_GET_M: PromotionStage.UNITS,
    PromotionKind.FREE_SHIPPING: PromotionStage.SHIPPING,
}
"""The other kinds are for lines or for the whole order, as their scope says."""

KIND_ORDER = {kind: rank for rank, kind in enumerate(PromotionKind)}
"""Which kind comes first inside a stage at equal priority."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The items a promotion is for; a category includes everything below it."""

    kind: PromotionScopeKind = PromotionScopeKind.ALL
    ids: frozenset[int] = frozenset()
    brands: frozenset[str] = frozenset()

    def covers(self, line: BasketLine) -> bool:
        match self.kind:
            case PromotionScopeKind.ALL:
                return True
            case PromotionScopeKind.CATEGORIES:
                return not self.ids.isdisjoint(line.category_ids)
            case PromotionScopeKind.PRODUCTS:
                return line.product_id in self.ids
            case PromotionScopeKind.VARIANTS:
                return line.variant_id in self.ids
            case PromotionScopeKind.BRANDS:
                return line.brand in self.brands


ALL_ITEMS = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRule:
    """A coupon, or without a `code` an automatic promotion. Amounts are minor units of `currency`."""

    id: int
    title: str
    terms: Terms
    code: str | None = None
    scope: Scope = ALL_ITEMS
    currency: CurrencyCode | None = None
    """None: any currency, which only a promotion without amounts can have."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    minimum_amount: int = 0
    minimum_quantity: int = 0
    cap: int | None = None
    """It never takes off more than this."""
    usage_limit: int | None = None
    used: int = 0
    usage_limit_per_buyer: int | None = None
    priority: int = 0
    stackable: bool = True
    """Whether others may apply beside it."""
    exclusion_groups: frozenset[str] = frozenset()
    """Of all promotions in one group only one applies."""
    translations: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Its title by language tag."""

    def __post_init__(self) -> None:
        has_amounts = isinstance(self.terms, Fixed | FullReduction | FlashPrice)
        ensure_valid(
            self.currency is not None or not (has_amounts or self.minimum_amount or self.cap),
            "a promotion with amounts has a currency",
        )
        ensure_valid(self.cap is None or self.cap > 0, "a cap is positive")

    @property
    def kind(self) -> PromotionKind:
        return KIND_BY_TERMS[type(self.terms)]

    @property
    def stage(self) -> PromotionStage:
        general = PromotionStage.ORDER if self.scope.kind is PromotionScopeKind.ALL else PromotionStage.LINES
        return STAGE_BY_KIND.get(self.kind, general)

    @property
    def application_order(self) -> tuple[int, int, bool, int, int]:
        """A key that sorts promotions into their order of application."""
        return (self.stage, -self.priority, self.code is not None, KIND_ORDER[self.kind], self.id)

    @property
    def threshold(self) -> int:
        """Minor units its items must cost for it to take anything off."""
        tiers = self.terms.tiers if isinstance(self.terms, FullReduction) else ()
        return max(self.minimum_amount, min((tier.minimum for tier in tiers), default=0))

    @property
    def is_limited(self) -> bool:
        """Whether it is a coupon or has a usage limit, so that a use of it should not be wasted."""
        limits = (self.code, self.usage_limit, self.usage_limit_per_buyer)
        return any(limit is not None for limit in limits)

    @property
    def label(self) -> Message | Localized:
        """What messages call it."""
        if self.code:
            return Message("Coupon {code}", code=self.code)
        return Localized(self.title, self.translations)


def ensure_valid(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)
