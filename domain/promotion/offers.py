"""Offers as data: what they give, for which goods, when, how often, and beside which others."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from domain.promotion.basket import BasketLine
from models import CurrencyCode, OfferKind, ScopeKind


class Stage(IntEnum):
    """When an offer takes its part; the package says what each stage looks at."""

    FLASH = 1
    UNITS = 2
    LINES = 3
    ORDER = 4
    SHIPPING = 5


@dataclass(frozen=True, slots=True)
class Percent:
    """`percent` of the goods; half a minor unit counts as one."""

    percent: int

    def __post_init__(self) -> None:
        require(0 < self.percent <= 100, "a percentage is 1 to 100")


@dataclass(frozen=True, slots=True)
class Fixed:
    """An amount, at most what the goods cost."""

    amount: int

    def __post_init__(self) -> None:
        require(self.amount > 0, "an amount is positive")


@dataclass(frozen=True, slots=True)
class Tier:
    """`amount` off when the goods reach `minimum`."""

    minimum: int
    amount: int

    def __post_init__(self) -> None:
        require(self.minimum > 0 and self.amount > 0, "a step and what it gives are positive")


@dataclass(frozen=True, slots=True)
class FullReduction:
    """The best step the goods reach (满减); `repeating` gives it as often as it fits (每满减)."""

    tiers: tuple[Tier, ...]
    repeating: bool = False

    def __post_init__(self) -> None:
        require(bool(self.tiers), "a full reduction has a step")

    def reduction(self, measured: int) -> int:
        """What goods that cost `measured` bring; never less for more."""
        return max((self._times(tier, measured) * tier.amount for tier in self.tiers), default=0)

    def _times(self, tier: Tier, measured: int) -> int:
        times = measured // tier.minimum
        return times if self.repeating else min(times, 1)


@dataclass(frozen=True, slots=True)
class BuyGet:
    """Of every `buy` + `get` units, whichever they are, `get` are free: the cheapest of all.

    One that costs nothing anyway does not count.
    """

    buy: int
    get: int

    def __post_init__(self) -> None:
        require(self.buy > 0 and self.get > 0, "units bought and given are positive")


@dataclass(frozen=True, slots=True)
class FreeShipping:
    """All fees; with a cap, that much of them."""


@dataclass(frozen=True, slots=True)
class FlashSale:
    """Units at `unit_amount` each while `left` of its share are left, the rest at the ordinary price."""

    unit_amount: int
    left: int
    per_buyer: int | None = None
    """Units one buyer may have at this price in all."""

    def __post_init__(self) -> None:
        require(self.unit_amount > 0 and self.left >= 0, "a special price is positive")


Terms = Percent | Fixed | FullReduction | BuyGet | FreeShipping | FlashSale

KINDS: dict[type[Terms], OfferKind] = {
    Percent: OfferKind.PERCENT,
    Fixed: OfferKind.FIXED,
    FullReduction: OfferKind.FULL_REDUCTION,
    BuyGet: OfferKind.BUY_N_GET_M,
    FreeShipping: OfferKind.FREE_SHIPPING,
    FlashSale: OfferKind.FLASH_SALE,
}

OWN_STAGE = {
    OfferKind.FLASH_SALE: Stage.FLASH,
    OfferKind.BUY_N_GET_M: Stage.UNITS,
    OfferKind.FREE_SHIPPING: Stage.SHIPPING,
}
"""The other kinds are for lines or for the order, as their scope says."""

TURN = {kind: turn for turn, kind in enumerate(OfferKind)}
"""Who comes first inside a stage at equal priority."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The goods an offer is for; a category means everything below it, too."""

    kind: ScopeKind = ScopeKind.ALL
    ids: frozenset[int] = frozenset()
    brands: frozenset[str] = frozenset()

    def covers(self, line: BasketLine) -> bool:
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.CATEGORIES:
                return not self.ids.isdisjoint(line.category_ids)
            case ScopeKind.PRODUCTS:
                return line.product_id in self.ids
            case ScopeKind.VARIANTS:
                return line.variant_id in self.ids
            case ScopeKind.BRANDS:
                return line.brand in self.brands


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A coupon, or without a `code` an automatic offer. Amounts are minor units of `currency`."""

    id: int
    title: str
    terms: Terms
    code: str | None = None
    scope: Scope = EVERYTHING
    currency: CurrencyCode | None = None
    """None: for any, which only an offer without amounts can be."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    minimum_amount: int = 0
    minimum_quantity: int = 0
    cap: int | None = None
    """It never takes more than this."""
    usage_limit: int | None = None
    used: int = 0
    usage_limit_per_buyer: int | None = None
    priority: int = 0
    stackable: bool = True
    """Whether others may apply beside it."""
    exclusion_groups: frozenset[str] = frozenset()
    """Of all offers in one group only one applies."""

    def __post_init__(self) -> None:
        has_amounts = isinstance(self.terms, Fixed | FullReduction | FlashSale)
        require(
            self.currency is not None or not (has_amounts or self.minimum_amount or self.cap),
            "an offer with amounts has a currency",
        )
        require(self.cap is None or self.cap > 0, "a cap is positive")

    @property
    def kind(self) -> OfferKind:
        return KINDS[type(self.terms)]

    @property
    def stage(self) -> Stage:
        general = Stage.ORDER if self.scope.kind is ScopeKind.ALL else Stage.LINES
        return OWN_STAGE.get(self.kind, general)

    @property
    def turn(self) -> tuple[int, int, bool, int, int]:
        """Its place in the order of application."""
        return (self.stage, -self.priority, self.code is not None, TURN[self.kind], self.id)

    @property
    def threshold(self) -> int:
        """What its goods must cost for it to give anything."""
        steps = self.terms.tiers if isinstance(self.terms, FullReduction) else ()
        return max(self.minimum_amount, min((tier.minimum for tier in steps), default=0))

    @property
    def limited(self) -> bool:
        """Whether a use of it is one less."""
        limits = (self.code, self.usage_limit, self.usage_limit_per_buyer)
        return any(limit is not None for limit in limits)

    @property
    def label(self) -> str:
        return f"Coupon {self.code}" if self.code else self.title


def require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)
