"""Products and their variants, prices and pictures: the commands of staff, and saving whole drafts."""

from domain.catalog.product.commands import (
    ProductChanges,
    archive_product,
    archive_variant,
    create_product,
    publish_product,
    save_variant,
    update_product,
)
from domain.catalog.product.drafting import drafts_of, load_draft_names, load_drafts
from domain.catalog.product.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.product.html import clean_html, removed_html
from domain.catalog.product.parsing import parse_picture_url, parse_slug
from domain.catalog.product.prices import (
    apply_due_price_changes,
    cancel_price_change,
    remove_price,
    schedule_price_change,
    select_due_price_changes,
    set_price,
)
from domain.catalog.product.product_save import SaveOutcome
from domain.catalog.product.publishing import publish_saved
from domain.catalog.product.refusals import DraftPart, DraftRefusal, DraftRefused
from domain.catalog.product.rows import ProductRows, load_products_by_slug
from domain.catalog.product.saving import (
    OF_BATCHES,
    OF_FILES,
    OF_FORMS,
    SavedProduct,
    SaveRules,
    save_product,
    save_products,
)
from domain.catalog.product.text_fields import (
    PRODUCT_TEXTS,
    TRANSLATED_TEXTS,
    VARIANT_TEXTS,
    TextField,
    product_texts_of,
    translated_texts_of,
    variant_texts_of,
    with_product_texts,
    with_variant_texts,
)
from domain.catalog.product.validation import LANGUAGE_TAG
from domain.catalog.product.variant_matching import match_variants

__all__ = [
    "LANGUAGE_TAG",
    "OF_BATCHES",
    "OF_FILES",
    "OF_FORMS",
    "PRODUCT_TEXTS",
    "TRANSLATED_TEXTS",
    "VARIANT_TEXTS",
    "DraftPart",
    "DraftRefusal",
    "DraftRefused",
    "PictureDraft",
    "PriceDraft",
    "ProductChanges",
    "ProductDraft",
    "ProductRows",
    "SaveOutcome",
    "SaveRules",
    "SavedProduct",
    "TextField",
    "VariantDraft",
    "apply_due_price_changes",
    "archive_product",
    "archive_variant",
    "cancel_price_change",
    "clean_html",
    "create_product",
    "drafts_of",
    "load_draft_names",
    "load_drafts",
    "load_products_by_slug",
    "match_variants",
    "parse_picture_url",
    "parse_slug",
    "product_texts_of",
    "publish_product",
    "publish_saved",
    "remove_price",
    "removed_html",
    "save_product",
    "save_products",
    "save_variant",
    "schedule_price_change",
    "select_due_price_changes",
    "set_price",
    "translated_texts_of",
    "update_product",
    "variant_texts_of",
    "with_product_texts",
    "with_variant_texts",
]
