"""The part of an address that names a thing."""

import re
import unicodedata

from domain.catalog.interchange import SLUG_LIMIT


def slug_of(text: str) -> str:
    """`text` in lower case with everything but letters and digits turned into single hyphens; may be ""."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:SLUG_LIMIT].rstrip("-")
