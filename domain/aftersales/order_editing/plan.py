"""An edit as a plan: every row that it changes or adds, in amounts that are final once it is quoted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from domain.promotion.restating import RestatedUse
from models.base import JsonObject, Translations

Discounts = list[dict[str, int]]
"""[{"promotion_id": 7, "amount": 500}, ...], as on an order line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """A line that stays on the order, and what becomes of its units; amounts in minor units."""

    line_id: int
    units_before: int
    units: int
    before: int
    """What its units cost now."""
    after: int
    removed_amount: int
    """What the units cost that are taken off."""
    discount_amount: int
    """Of the whole line, units that were cancelled included."""
    discounts: Discounts

    @property
    def removed(self) -> int:
        return self.units_before - self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSource:
    """Units of an added line that leave one warehouse for one delivery."""

    delivery_id: int
    warehouse_id: int
    quantity: int
    backordered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAddition:
    """A line that is added, with the title and price of today."""

    variant_id: int
    product_id: int
    sku: str | None
    title: str
    translations: Translations
    options: list[JsonObject]
    picture_url: str | None
    weight_grams: int
    tracked: bool
    requires_shipping: bool
    unit_amount: int
    quantity: int
    discount_amount: int
    discounts: Discounts
    sources: list[PlannedSource]

    @property
    def after(self) -> int:
        return self.unit_amount * self.quantity - self.discount_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """A delivery, and where it goes and costs from then on."""

    delivery_id: int
    before: int
    fee_amount: int
    discount_amount: int
    discounts: Discounts
    address: dict[str, str] | None
    """Its new address; None where it stays."""

    @property
    def after(self) -> int:
        return self.fee_amount - self.discount_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRemoval:
    """Units that are taken off a delivery line."""

    delivery_line_id: int
    order_line_id: int
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPlan:
    """All that an edit changes."""

    lines: list[PlannedLine]
    additions: list[PlannedAddition]
    deliveries: list[PlannedDelivery]
    removals: list[PlannedRemoval]
    uses: list[RestatedUse]
    rules: list[JsonObject] | None
    """The promotions that the next edit is priced with; None where none were stored."""

    @property
    def before(self) -> int:
        """What everything that is kept costs now."""
        return sum(line.before for line in self.lines) + sum(each.before for each in self.deliveries)

    @property
    def after(self) -> int:
        goods = sum(line.after for line in self.lines) + sum(each.after for each in self.additions)
        return goods + sum(each.after for each in self.deliveries)

    @property
    def difference(self) -> int:
        return self.after - self.before

    @property
    def removed_amount(self) -> int:
        return sum(line.removed_amount for line in self.lines)

    @property
    def keeps_anything(self) -> bool:
        return any(line.units for line in self.lines) or bool(self.additions)

    def dump(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def load_plan(text: str) -> EditPlan:
    """The plan that `EditPlan.dump` wrote."""
    kept = json.loads(text)
    return EditPlan(
        lines=[PlannedLine(**each) for each in kept["lines"]],
        additions=[load_addition(each) for each in kept["additions"]],
        deliveries=[PlannedDelivery(**each) for each in kept["deliveries"]],
        removals=[PlannedRemoval(**each) for each in kept["removals"]],
        uses=[RestatedUse(**each) for each in kept["uses"]],
        rules=kept["rules"],
    )


def load_addition(kept: JsonObject) -> PlannedAddition:
    return PlannedAddition(**kept | {"sources": [PlannedSource(**each) for each in kept["sources"]]})


def merge_discounts(*parts: Sequence[Mapping[str, int]]) -> Discounts:
    """One entry for each promotion, in the order they come first; those of nothing are left out."""
    amounts: dict[int, int] = {}
    for part in parts:
        for each in part:
            amounts[each["promotion_id"]] = amounts.get(each["promotion_id"], 0) + each["amount"]
    return [{"promotion_id": id, "amount": amount} for id, amount in amounts.items() if amount]
