"""Product files in the CSV format that Shopify and most shop software import and export."""

from domain.catalog.interchange.encoding import FILE_LIMIT
from domain.catalog.interchange.problems import PROBLEM_LIMIT, Problem
from domain.catalog.interchange.reading import PICTURE_LIMIT, VARIANT_LIMIT, Reading, read_products
from domain.catalog.interchange.table import CELL_LIMIT
from domain.catalog.interchange.values import NAME_LIMIT, SLUG_LIMIT
from domain.catalog.interchange.writing import Writer, columns_of

__all__ = [
    "CELL_LIMIT",
    "FILE_LIMIT",
    "NAME_LIMIT",
    "PICTURE_LIMIT",
    "PROBLEM_LIMIT",
    "SLUG_LIMIT",
    "VARIANT_LIMIT",
    "Problem",
    "Reading",
    "Writer",
    "columns_of",
    "read_products",
]
