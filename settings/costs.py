"""What the operations of one viewer may cost: each by itself, and all within some time."""

from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from settings.group import SettingsGroup


@dataclass(frozen=True, slots=True)
class CostLimits:
    """The limits of one viewer, in units of cost: about one field of one row each."""

    operation: int
    """The most that one operation may cost."""
    capacity: int
    """What the viewer's bucket holds."""
    per_second: float
    """How fast the bucket refills."""


class CostSettings(SettingsGroup):
    """What GraphQL operations may cost. A guest's bucket belongs to the address, any other to the account."""

    guest_limit: int = Field(
        8_000,
        ge=1,
        validation_alias="GUEST_COST_LIMIT",
        description="the most an operation of a guest may cost",
    )
    guest_bucket: int = Field(
        1_000_000,
        ge=1,
        validation_alias="GUEST_COST_BUCKET",
        description="what all guests of one address may cost at once",
    )
    guest_refill: float = Field(
        20_000, gt=0, validation_alias="GUEST_COST_REFILL", description="what they may cost in each second"
    )
    customer_limit: int = Field(
        8_000,
        ge=1,
        validation_alias="CUSTOMER_COST_LIMIT",
        description="the most an operation of a customer may cost",
    )
    customer_bucket: int = Field(
        500_000,
        ge=1,
        validation_alias="CUSTOMER_COST_BUCKET",
        description="what the operations of one customer may cost at once",
    )
    customer_refill: float = Field(
        10_000, gt=0, validation_alias="CUSTOMER_COST_REFILL", description="what they may cost in each second"
    )
    staff_limit: int = Field(
        60_000,
        ge=1,
        validation_alias="STAFF_COST_LIMIT",
        description="the most an operation of somebody of the staff may cost",
    )
    staff_bucket: int = Field(
        2_000_000,
        ge=1,
        validation_alias="STAFF_COST_BUCKET",
        description="what the operations of one of the staff may cost at once",
    )
    staff_refill: float = Field(
        50_000, gt=0, validation_alias="STAFF_COST_REFILL", description="what they may cost in each second"
    )

    @property
    def guest(self) -> CostLimits:
        return CostLimits(self.guest_limit, self.guest_bucket, self.guest_refill)

    @property
    def customer(self) -> CostLimits:
        return CostLimits(self.customer_limit, self.customer_bucket, self.customer_refill)

    @property
    def staff(self) -> CostLimits:
        return CostLimits(self.staff_limit, self.staff_bucket, self.staff_refill)

    @model_validator(mode="after")
    def _check_buckets(self) -> Self:
        for name, limits in (("GUEST", self.guest), ("CUSTOMER", self.customer), ("STAFF", self.staff)):
            if limits.operation > limits.capacity:
                raise ValueError(f"{name}_COST_LIMIT is more than {name}_COST_BUCKET ever holds")
        return self
