"""Filters of product lists."""

from models import ProductStatus
from resolvers.descriptions import input_type
from resolvers.inputs.money import MoneyInput

CHOICES_LIMIT = 50
"""Brands, attributes, or values of one attribute in a filter."""


@input_type
class PriceRangeInput:
    """Prices from one amount to another, both included, in the viewer's currency."""

    min: MoneyInput | None = None
    """The lowest price."""
    max: MoneyInput | None = None
    """The highest price."""


@input_type
class AttributeFilter:
    """Products with one of these values of an attribute."""

    code: str
    """The code of the attribute."""
    values: list[str]
    """Codes of values; for other types than ENUM the values as text, such as "true" or "12"."""


@input_type
class ProductFilter:
    """Which products to list; every condition given must hold."""

    category: str | None = None
    """The id or slug of a category: products in it or anywhere below it."""
    brands: list[str] | None = None
    """Products of one of these brands."""
    price: PriceRangeInput | None = None
    """Products with a variant in this range of prices."""
    attributes: list[AttributeFilter] | None = None
    """Products that match all of these attribute filters."""
    in_stock: bool | None = None
    """True for products that can be bought now."""
    flash_sale: bool | None = None
    """True for products in a flash sale that runs now and is not sold out."""
    status: list[ProductStatus] | None = None
    """For staff: products in one of these states; only ACTIVE ones when left out, and for customers."""
