"""Limits of what a product may hold, the same for forms and files."""

NAME_LIMIT = 255
"""Characters of a title, a brand, an option or a code: they are indexed."""

SLUG_LIMIT = 255
SEO_LIMIT = 5_000
"""Characters of a text for search engines, or of what a picture shows."""

URL_LIMIT = 2_048
VARIANT_LIMIT = 2_048
"""Variants of one product."""

PICTURE_LIMIT = 250
"""Pictures of one product."""

OPTION_LIMIT = 5
"""Options of one product; the CSV format has columns for no more."""

TAG_LIMIT = 250
LANGUAGE_LIMIT = 20
PRICE_LIMIT = 10**12
"""Minor units of a price."""

WHOLE_NUMBER_LIMIT = 1_000_000_000
"""Grams of a variant, units of it in stock."""

SIDE_LIMIT_MM = 10_000
"""Of a variant in its package."""

COLUMN_LIMIT = 10_000
"""Columns of one file: what the shop has no field for is kept, and an export has a column for each."""

FILE_LIMIT = 64 * 1024 * 1024
"""Bytes of one file."""
