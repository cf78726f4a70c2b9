"""Issues of the catalogue: their reasons and severities."""

from dataclasses import dataclass
from enum import StrEnum

from text.messages import Message


class QualityReason(StrEnum):
    """The kind of issue a product has."""

    PRICE = "PRICE"
    """A variant has no price, or there is no variant: nobody can buy it."""
    PICTURE = "PICTURE"
    """It has no picture."""
    DESCRIPTION = "DESCRIPTION"
    """It has no description, or a very short one."""
    CATEGORY = "CATEGORY"
    """It has no category."""
    ATTRIBUTE = "ATTRIBUTE"
    """An attribute its category requires is missing."""
    TRANSLATION = "TRANSLATION"
    """Its texts are missing in a language the shop is read in."""
    WEIGHT = "WEIGHT"
    """A variant that has to be shipped has no weight."""
    PRICE_OUTLIER = "PRICE_OUTLIER"
    """Its price is far from those of its category."""
    COMPARE_AT_PRICE = "COMPARE_AT_PRICE"
    """A compare-at price of it is lower than the price, or ten times as high."""
    WEIGHT_OUTLIER = "WEIGHT_OUTLIER"
    """Its weight is far from those of its category."""
    NUMBER_OUTLIER = "NUMBER_OUTLIER"
    """A number is far from those of its category, as if it were in another unit."""
    UNIT = "UNIT"
    """A text has a number without a unit, or in another unit than products of its category."""
    DUPLICATE_BARCODE = "DUPLICATE_BARCODE"
    """Another product, or another variant, has the same barcode."""
    DUPLICATE_TITLE = "DUPLICATE_TITLE"
    """Another product has the same or nearly the same title."""
    DUPLICATE_PICTURE = "DUPLICATE_PICTURE"
    """Another product has the same first picture."""
    DUPLICATE_DESCRIPTION = "DUPLICATE_DESCRIPTION"
    """Many products have the same description."""
    UNREACHABLE_PICTURE = "UNREACHABLE_PICTURE"
    """A picture of it cannot be reached: several checks at different times have failed."""
    PLACEHOLDER = "PLACEHOLDER"
    """A text is a placeholder, such as the title "test"."""


SEVERITY = {
    QualityReason.PRICE: 1.0,
    QualityReason.PRICE_OUTLIER: 0.8,
    QualityReason.PLACEHOLDER: 0.6,
    QualityReason.PICTURE: 0.5,
    QualityReason.UNREACHABLE_PICTURE: 0.5,
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
    QualityReason.DUPLICATE_DESCRIPTION: 0.2,
    QualityReason.TRANSLATION: 0.1,
    QualityReason.WEIGHT: 0.1,
}
"""The share of a product's business that an issue costs: estimates, only good for sorting."""


@dataclass(frozen=True, slots=True)
class QualityIssue:
    """An issue of one product."""

    product_id: int
    reason: QualityReason
    field: str
    message: Message
    other_id: int | None = None
    """The product it seems to be a duplicate of."""
    gain: float = 0.0
    """An estimate of what fixing it brings, in percent of the shop's business."""

    @property
    def key(self) -> str:
        """Unique among all issues, for sorting and cursors."""
        return f"{self.product_id:012}/{self.reason}/{self.field}/{self.other_id or ''}"
