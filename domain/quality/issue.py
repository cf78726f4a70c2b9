from dataclasses import dataclass
from enum import StrEnum


class QualityReason(StrEnum):
    """What is wrong with a product."""

    PRICE = "PRICE"
    """A variant has no price, or there is no variant: nobody can buy it."""
    PICTURE = "PICTURE"
    """It has no picture."""
    DESCRIPTION = "DESCRIPTION"
    """It is described in no or next to no words."""
    CATEGORY = "CATEGORY"
    """It stands nowhere in the tree of categories."""
    ATTRIBUTE = "ATTRIBUTE"
    """An attribute its category requires is missing."""
    TRANSLATION = "TRANSLATION"
    """Its texts are missing in a language the shop is read in."""
    WEIGHT = "WEIGHT"
    """A variant that has to be sent has no weight."""
    PRICE_OUTLIER = "PRICE_OUTLIER"
    """Its price is far from those of its category."""
    COMPARE_AT_PRICE = "COMPARE_AT_PRICE"
    """What it is said to have cost before is not more than what it costs."""
    WEIGHT_OUTLIER = "WEIGHT_OUTLIER"
    """Its weight is far from those of its category."""
    NUMBER_OUTLIER = "NUMBER_OUTLIER"
    """A number is far from those of its category, as if it were in another unit."""
    UNIT = "UNIT"
    """A text says a number without a unit, or in another unit than its siblings."""
    DUPLICATE_BARCODE = "DUPLICATE_BARCODE"
    """Another product, or another variant, has the same barcode."""
    DUPLICATE_TITLE = "DUPLICATE_TITLE"
    """Another product is called nearly the same."""
    DUPLICATE_PICTURE = "DUPLICATE_PICTURE"
    """Another product shows the same picture first."""


SEVERITY = {
    QualityReason.PRICE: 1.0,
    QualityReason.PRICE_OUTLIER: 0.8,
    QualityReason.PICTURE: 0.5,
    QualityReason.DUPLICATE_BARCODE: 0.5,
    QualityReason.CATEGORY: 0.4,
    QualityReason.DESCRIPTION: 0.3,
    QualityReason.DUPLICATE_TITLE: 0.3,
    QualityReason.WEIGHT_OUTLIER: 0.3,
    QualityReason.NUMBER_OUTLIER: 0.3,
    QualityReason.COMPARE_AT_PRICE: 0.3,
    QualityReason.ATTRIBUTE: 0.2,
    QualityReason.UNIT: 0.2,
    QualityReason.DUPLICATE_PICTURE: 0.2,
    QualityReason.TRANSLATION: 0.1,
    QualityReason.WEIGHT: 0.1,
}
"""Which part of a product's business is at stake: a rule of thumb, only good for an order."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to put right."""

    product_id: int
    reason: QualityReason
    field: str
    words: str
    other_id: int | None = None
    """The product it seems to be a duplicate of."""
    gain: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.product_id:012}/{self.reason}/{self.field}/{self.other_id or ''}"
