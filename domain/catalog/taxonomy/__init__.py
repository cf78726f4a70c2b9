"""The Shopify Standard Product Taxonomy: read from its files, loaded into the shop."""

from domain.catalog.taxonomy.edition import Taxonomy, TaxonomyAttribute, TaxonomyCategory, TaxonomyValue
from domain.catalog.taxonomy.loading import Loaded, load_taxonomy
from domain.catalog.taxonomy.proving import NotAsTheEdition
from domain.catalog.taxonomy.reading import TaxonomyRefused, read_taxonomy, taxonomy_files
from domain.catalog.taxonomy.writing import Tally

__all__ = [
    "Loaded",
    "NotAsTheEdition",
    "Tally",
    "Taxonomy",
    "TaxonomyAttribute",
    "TaxonomyCategory",
    "TaxonomyRefused",
    "TaxonomyValue",
    "load_taxonomy",
    "read_taxonomy",
    "taxonomy_files",
]
