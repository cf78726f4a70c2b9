"""Inputs about products, categories and attributes."""

from resolvers.inputs.catalog.category import AttributeSaveInput, CategorySaveInput
from resolvers.inputs.catalog.filters import (
    CHOICES_LIMIT,
    AttributeFilter,
    PriceRangeInput,
    ProductFilter,
)
from resolvers.inputs.catalog.product import ProductCreateInput, ProductUpdateInput, VariantInput

__all__ = [
    "CHOICES_LIMIT",
    "AttributeFilter",
    "AttributeSaveInput",
    "CategorySaveInput",
    "PriceRangeInput",
    "ProductCreateInput",
    "ProductFilter",
    "ProductUpdateInput",
    "VariantInput",
]
