from models import ProductStatus
from resolvers.described import input_type
from resolvers.inputs.money import MoneyInput

CHOICES_LIMIT = 50
"""Brands, attributes, or values of one attribute in a filter."""


@input_type
class PriceRangeInput:
    """Prices from one amount to another, both included, in the viewer's currency."""

    min: MoneyInput | None = None
    """The least it may cost."""
    max: MoneyInput | None = None
    """The most it may cost."""


@input_type
class AttributeFilter:
    """Products with one of these values of an attribute."""

    code: str
    """The code of the attribute."""
    values: list[str]
    """Codes of values; for other types than ENUM the values as text, such as "true" or "12"."""


@input_type
class ProductFilter:
    """Which products; everything given must hold."""

    category: str | None = None
    """In this category or anywhere below it: its id or its slug."""
    brands: list[str] | None = None
    """Of one of these brands."""
    price: PriceRangeInput | None = None
    """With a variant in this range of prices."""
    attributes: list[AttributeFilter] | None = None
    """With all of these attributes."""
    in_stock: bool | None = None
    """True for what can be bought at this moment."""
    status: list[ProductStatus] | None = None
    """For staff: in one of these states; without it only ACTIVE. Customers see only ACTIVE ones."""
