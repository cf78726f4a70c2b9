"""Which terms each product is found by; written in the transaction that changes what they come from."""

from domain.catalog.search_index.products import (
    index_attribute_products,
    index_category_products,
    index_next_batch,
    index_products,
)

__all__ = ["index_attribute_products", "index_category_products", "index_next_batch", "index_products"]
