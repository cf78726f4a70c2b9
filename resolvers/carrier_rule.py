"""Rules that choose carriers, for those who send parcels."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.shipment.carrier_rules import archive_carrier_rule, restore_carrier_rule, save_carrier_rule
from domain.shipping import ShippingRegion
from loaders.carrier import load_carrier_rules
from models import Account, Carrier, CarrierCode, CarrierRule
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.carrier import CarrierRuleSaveInput
from resolvers.shipping import parse_region


@dataclass(frozen=True, slots=True)
class CarrierOfRule:
    """A carrier of a rule, with its share and how often it was chosen by it."""

    code: CarrierCode
    share: int | None
    chosen: int


async def carrier_rules(info: Info, archived: bool = False) -> Sequence[CarrierRule]:
    """All rules that choose carriers, in the order in which they are tried.

    archived: also those that choose no more
    """
    return await load_carrier_rules(info.context.shop.database.reads, archived=archived)


async def carrier_rule_save(info: Info, input: CarrierRuleSaveInput) -> CarrierRule:
    """Adds a rule that chooses carriers, or replaces one. Shares that are changed are counted anew."""
    rule_id = None if input.id is None else row_id(input.id, "CarrierRule")
    context = info.context
    async with context.transaction() as session:
        return await save_carrier_rule(
            session, input.draft(), rule_id=rule_id, version=input.version, cause=context.cause
        )


async def carrier_rule_archive(info: Info, id: strawberry.ID, version: int) -> CarrierRule:
    """Stops choosing carriers by a rule.

    id: the rule
    version: the version that was read
    """
    context = info.context
    async with context.transaction() as session:
        return await archive_carrier_rule(
            session, row_id(id, "CarrierRule"), version=version, cause=context.cause
        )


async def carrier_rule_restore(info: Info, id: strawberry.ID, version: int) -> CarrierRule:
    """Chooses carriers by an archived rule again.

    id: the rule
    version: the version that was read
    """
    context = info.context
    async with context.transaction() as session:
        return await restore_carrier_rule(
            session, row_id(id, "CarrierRule"), version=version, cause=context.cause
        )


def rule_regions(root: CarrierRule) -> list[ShippingRegion]:
    """Only parcels to these; empty for parcels to anywhere."""
    return [parse_region(key) for key in root.regions]


def rule_carriers(root: CarrierRule) -> list[CarrierOfRule]:
    """The carriers that are asked."""
    return [
        CarrierOfRule(CarrierCode(code), root.shares.get(code), root.chosen.get(code, 0))
        for code in root.carriers
    ]


async def rule_changers(rules: Sequence[CarrierRule], info: Info) -> list[Account | None]:
    """Who has changed it last; null for the shop itself."""
    ids = list({rule.changed_by_id for rule in rules if rule.changed_by_id is not None})
    found = dict(zip(ids, await info.context.load.account.load_many(ids), strict=True))
    return [found.get(rule.changed_by_id or 0) for rule in rules]


async def carriers_by_code(rows: Sequence[CarrierOfRule], info: Info) -> list[Carrier | None]:
    """The carrier itself."""
    return list(await info.context.load.carrier_by_code.load_many([row.code for row in rows]))


async def find_carrier_rule(info: Info, rule_id: int) -> CarrierRule | None:
    """The rule, for staff only."""
    if not info.context.viewer.may(Permission.LOGISTICS_VIEW):
        return None
    return await info.context.load.carrier_rule.load(rule_id)
