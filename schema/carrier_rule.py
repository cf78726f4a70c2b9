"""Rules that choose carriers."""

from datetime import datetime

import strawberry

import models
from resolvers import carrier_rule as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.carrier import Carrier
from schema.limits.sizes import FEW, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, row_type
from schema.scalars import Money
from schema.shipping import ShippingRegion

CarrierPreference = describe_enum(models.CarrierPreference)


@row_type(resolve.CarrierOfRule)
class CarrierOfRule:
    """A carrier of a rule."""

    code: models.CarrierCode
    """The code of the carrier."""
    share: int | None
    """Its share of the parcels, in percent; null where shares do not decide."""
    chosen: int
    """How many parcels it was chosen for by its share, since the shares were last changed."""
    carrier: Carrier | None = batched(resolve.carriers_by_code)


@row_type(models.CarrierRule)
class CarrierRule(Node):
    """Which carriers are asked for which parcels; the first rule that fits decides."""

    name: str
    """What the staff calls it."""
    position: int
    """Its turn, the lowest first."""
    preference: models.CarrierPreference
    """Which of its carriers comes first."""
    carriers: list[CarrierOfRule] = field(resolve.rule_carriers, size=FEW)
    regions: list[ShippingRegion] = field(resolve.rule_regions, size=SOME)
    grams_from: int | None
    """Only parcels of this weight and more, in grams; null for any."""
    grams_below: int | None
    """Only parcels of less than this weight, in grams; null for any."""
    goods_from: Money | None
    """Only with goods of this price and more; null for any."""
    goods_below: Money | None
    """Only with goods of less than this price; null for any."""
    is_cash: bool | None
    """Only parcels with, or only without cash to collect; null for both."""
    price_limit: Money | None
    """Only carriers that quote no more than this; null for any."""
    promised_within_hours: int | None
    """Only carriers that promise to arrive within so many hours; null for any."""
    version: int
    """One higher with each change; pass it back when you save."""
    changed_at: datetime
    """When it was last changed."""
    changed_by: Account | None = batched(resolve.rule_changers)
    archived_at: datetime | None
    """When it was archived: it chooses no more; null while it does."""


@strawberry.type
class CarrierRuleQuery:
    carrier_rules: list[CarrierRule] = field(
        resolve.carrier_rules, allow=Permission.LOGISTICS_VIEW, size=SOME
    )


@strawberry.type
class CarrierRuleMutation:
    carrier_rule_save = mutation(
        resolve.carrier_rule_save, returns=CarrierRule, allow=Permission.SHIPPING_EDIT
    )
    carrier_rule_archive = mutation(
        resolve.carrier_rule_archive, returns=CarrierRule, allow=Permission.SHIPPING_EDIT
    )
    carrier_rule_restore = mutation(
        resolve.carrier_rule_restore, returns=CarrierRule, allow=Permission.SHIPPING_EDIT
    )
