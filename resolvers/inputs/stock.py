from datetime import datetime

import strawberry

from domain.errors import Invalid
from models import MovementKind
from resolvers.described import input_type

PART_LIMIT = 200


@input_type
class NearInput:
    """Where somebody is, as far as they say."""

    country_code: str = "CN"
    """The ISO 3166 code of the country."""
    province: str
    """Province, state or municipality."""
    city: str = ""
    """City or prefecture."""
    district: str = ""
    """District or county."""

    def refuse_long(self) -> None:
        for name, text in vars(self).items():
            if len(text) > PART_LIMIT:
                raise Invalid(f"At most {PART_LIMIT} characters.", field=("address", name))


@input_type
class MovementFilter:
    """Which movements; everything given must hold."""

    variant_id: strawberry.ID | None = None
    """Of this variant."""
    warehouse_id: strawberry.ID | None = None
    """In this warehouse."""
    order_id: strawberry.ID | None = None
    """Because of this order."""
    kinds: list[MovementKind] | None = None
    """Of one of these kinds."""
    moved_from: datetime | None = None
    """At this moment or later."""
    moved_before: datetime | None = None
    """Before this moment."""


@input_type
class LowStockFilter:
    """Which of what runs low; everything given must hold."""

    warehouse_id: strawberry.ID | None = None
    """Counted in this warehouse alone; all active ones together when left out."""
    category: str | None = None
    """In this category or anywhere below it: its id or its slug."""
