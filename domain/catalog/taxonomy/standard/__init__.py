"""The Shopify Standard Product Taxonomy: reading its files and loading them into the shop."""

from domain.catalog.taxonomy.standard.edition import (
    Taxonomy,
    TaxonomyAttribute,
    TaxonomyCategory,
    TaxonomyValue,
)
from domain.catalog.taxonomy.standard.loading import TaxonomyLoadResult, load_taxonomy
from domain.catalog.taxonomy.standard.reading import TaxonomyRefused, read_taxonomy, taxonomy_files
from domain.catalog.taxonomy.standard.verification import EditionMismatch
from domain.catalog.taxonomy.standard.writing import WriteCount

__all__ = [
    "EditionMismatch",
    "Taxonomy",
    "TaxonomyAttribute",
    "TaxonomyCategory",
    "TaxonomyLoadResult",
    "TaxonomyRefused",
    "TaxonomyValue",
    "WriteCount",
    "load_taxonomy",
    "read_taxonomy",
    "taxonomy_files",
]
