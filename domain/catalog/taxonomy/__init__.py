"""The category tree, attributes with their values and units; `standard` loads Shopify's taxonomy into it."""

from domain.catalog.taxonomy.attributes import (
    CODE,
    AttributeDraft,
    AttributeWithValues,
    ValueColumns,
    ValueDraft,
    attributes_by_code,
    attributes_by_id,
    ensure_attributes,
    save_attribute,
)
from domain.catalog.taxonomy.categories import (
    CategoryAttributeDraft,
    CategoryDraft,
    Path,
    attribute_categories,
    ensure_categories,
    ensure_taxonomy_categories,
    path_of,
    refuse_archived_category,
    save_category,
)
from domain.catalog.taxonomy.removal import (
    remove_attribute,
    remove_category,
    reopen_category,
    restore_attribute,
    restore_category,
)
from domain.catalog.taxonomy.values import WrongValue

__all__ = [
    "CODE",
    "AttributeDraft",
    "AttributeWithValues",
    "CategoryAttributeDraft",
    "CategoryDraft",
    "Path",
    "ValueColumns",
    "ValueDraft",
    "WrongValue",
    "attribute_categories",
    "attributes_by_code",
    "attributes_by_id",
    "ensure_attributes",
    "ensure_categories",
    "ensure_taxonomy_categories",
    "path_of",
    "refuse_archived_category",
    "remove_attribute",
    "remove_category",
    "reopen_category",
    "restore_attribute",
    "restore_category",
    "save_attribute",
    "save_category",
]
