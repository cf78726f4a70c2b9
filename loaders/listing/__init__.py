"""Product lists: filters, order, pages and facets."""

from loaders.listing.facets import AttributeValueCount, Facets, load_facets
from loaders.listing.filters import (
    AttributeChoice,
    ProductCriteria,
    load_attribute_applicability,
    load_flash_sale_products,
)
from loaders.listing.page import ProductSort, count_products, load_best_products, load_product_page

__all__ = [
    "AttributeChoice",
    "AttributeValueCount",
    "Facets",
    "ProductCriteria",
    "ProductSort",
    "count_products",
    "load_attribute_applicability",
    "load_best_products",
    "load_facets",
    "load_flash_sale_products",
    "load_product_page",
]
