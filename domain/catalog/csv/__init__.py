"""Product files in the CSV format that Shopify and most shop software import and export."""

from domain.catalog.csv.column_map import ColumnMap, read_column_map
from domain.catalog.csv.columns import COLUMNS, Column, ColumnFamily, family_column
from domain.catalog.csv.explanation import ColumnExplanation, FileExplanation, explain_file
from domain.catalog.csv.product_export import export_products
from domain.catalog.csv.product_import import ImportResult, SavedBatch, import_file, save_batch
from domain.catalog.csv.reading import ParsedFile, read_products
from domain.catalog.csv.table import CELL_LIMIT
from domain.catalog.csv.writing import CsvWriter, columns_of

__all__ = [
    "CELL_LIMIT",
    "COLUMNS",
    "Column",
    "ColumnExplanation",
    "ColumnFamily",
    "ColumnMap",
    "CsvWriter",
    "FileExplanation",
    "ImportResult",
    "ParsedFile",
    "SavedBatch",
    "columns_of",
    "explain_file",
    "export_products",
    "family_column",
    "import_file",
    "read_column_map",
    "read_products",
    "save_batch",
]
