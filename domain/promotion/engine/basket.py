"""What is to be priced: lines and delivery fees in one currency, and what the buyer has used before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models import CurrencyCode, Money


@dataclass(frozen=True, slots=True)
class BasketLine:
    """Units of a variant at its ordinary price, and what promotions are limited to."""

    variant_id: int
    product_id: int
    quantity: int
    unit_price: Money
    category_ids: frozenset[int] = frozenset()
    """The category of its product and all its ancestors."""
    brand: str = ""

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.unit_price.minor < 0:
            raise ValueError("a line has at least one unit and no negative price")


@dataclass(frozen=True, slots=True)
class Basket:
    """Lines of one currency, and the shipping fee of each delivery."""

    lines: tuple[BasketLine, ...]
    fees: tuple[Money, ...]
    currency: CurrencyCode

    def __post_init__(self) -> None:
        prices = [line.unit_price for line in self.lines]
        if any(money.currency is not self.currency for money in (*prices, *self.fees)):
            raise ValueError(f"a basket in {self.currency} has prices and fees in {self.currency}")
        if any(fee.minor < 0 for fee in self.fees):
            raise ValueError("a fee is not negative")


@dataclass(frozen=True, slots=True)
class BuyerFacts:
    """What the buyer has used before, by promotion id; empty for a new customer."""

    uses: Mapping[int, int] = field(default_factory=dict)
    """Orders placed with the promotion."""
    flash_units: Mapping[int, int] = field(default_factory=dict)
    """Units bought at the special price of a flash sale."""
    has_account: bool = True
    """Whether it is somebody whose uses can be counted: a guest comes again as somebody else."""
