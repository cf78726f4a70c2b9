"""Settings of what the shop adds to refunds that go into store credit."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from models.money import CurrencyCode
from settings.group import SettingsGroup


class RefundBonusSettings(SettingsGroup):
    """What is added to refunds of tickets that customers have go into store credit; nothing by default."""

    basis_points: int = Field(
        0,
        ge=0,
        le=10_000,
        validation_alias="REFUND_BONUS_BASIS_POINTS",
        description="hundredths of a percent that are added to refunds of tickets which go into store credit,"
        " but for what was paid with it",
    )
    caps: Mapping[CurrencyCode, PositiveInt] = Field(
        {},
        validation_alias="REFUND_BONUS_CAPS",
        description="minor units by currency, as JSON: the most that is added for all tickets of an order;"
        " nothing in a currency without one",
    )

    @model_validator(mode="after")
    def _require_caps(self) -> Self:
        if self.basis_points and not self.caps:
            raise ValueError("REFUND_BONUS_BASIS_POINTS needs REFUND_BONUS_CAPS: no currency has one")
        return self
