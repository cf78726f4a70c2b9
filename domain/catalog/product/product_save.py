"""One draft while it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.catalog.product.drafts import ProductDraft
from domain.catalog.product.rows import ProductRows
from domain.catalog.product.variant_matching import VariantMatch
from models import Variant


class SaveOutcome(StrEnum):
    """What saving a draft did."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"


@dataclass(slots=True)
class ProductSave:
    """A draft, the rows it is saved to, and what has changed so far."""

    draft: ProductDraft
    rows: ProductRows
    new: bool
    matches: Sequence[VariantMatch]
    unmatched: Sequence[Variant]
    """Variants of the product the draft does not have."""
    changed: bool = False
    stock_changed: bool = False

    @property
    def outcome(self) -> SaveOutcome:
        if self.new:
            return SaveOutcome.CREATED
        return SaveOutcome.UPDATED if self.changed or self.stock_changed else SaveOutcome.UNCHANGED
