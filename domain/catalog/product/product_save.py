"""One draft while it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.catalog.product.drafts import ProductDraft
from domain.catalog.product.rows import ProductRows
from domain.catalog.product.variant_matching import VariantMatch
from models import ProductStatus, Variant


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
    publish_as: ProductStatus | None = None
    """The status that the draft has and the product gets later, by `publish_saved`; None where it has it."""
    shared_skus: list[str] = field(default_factory=list)
    """SKUs of the draft that variants of other products have as well."""

    @property
    def outcome(self) -> SaveOutcome:
        if self.new:
            return SaveOutcome.CREATED
        return SaveOutcome.UPDATED if self.changed or self.stock_changed else SaveOutcome.UNCHANGED
