"""Carriers, for those who send parcels."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.errors import Invalid
from domain.shipment.carrier_rates import rates_of
from domain.shipment.carriers import (
    CutOff,
    archive_carrier,
    cut_offs_of,
    restore_carrier,
    save_carrier,
)
from domain.shipping import ShippingRegion
from domain.stock import Weekday
from gateways.carrier.protocol import CarrierRefused
from gateways.carrier.simulated_terms import read_terms
from loaders.carrier import NEWEST_REPORT, load_carriers, select_unhandled_reports
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import Carrier, CarrierConnection, Money, UnhandledKind, UnhandledReport
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.carrier import CarrierSaveInput
from resolvers.paging import query_page
from resolvers.shipping import parse_region

__all__ = ["CutOff", "Weekday"]


async def carriers(info: Info, archived: bool = False) -> Sequence[Carrier]:
    """All carriers, in their turn.

    archived: also those that take no more parcels
    """
    return await load_carriers(info.context.shop.database.reads, archived=archived)


async def carrier_save(info: Info, input: CarrierSaveInput) -> Carrier:
    """Adds a carrier, or replaces all that one is described by."""
    carrier_id = None if input.id is None else row_id(input.id, "Carrier")
    check_service(input)
    async with info.context.transaction() as session:
        return await save_carrier(session, input.draft(), carrier_id=carrier_id, version=input.version)


def check_service(input: CarrierSaveInput) -> None:
    """Refuse terms that the simulated carrier does not have: it would report nothing of its parcels."""
    if input.connection is not CarrierConnection.SIMULATED:
        return
    try:
        read_terms(input.service)
    except CarrierRefused as refusal:
        template = "{name} has no such service: {reason}"
        raise Invalid(template, name=input.name, reason=str(refusal), field=("service",)) from None


async def carrier_archive(info: Info, id: strawberry.ID, version: int) -> Carrier:
    """Stops giving parcels to a carrier; those under way are tracked on.

    id: the carrier
    version: the version that was read
    """
    async with info.context.transaction() as session:
        return await archive_carrier(session, row_id(id, "Carrier"), version=version, now=info.context.now)


async def carrier_restore(info: Info, id: strawberry.ID, version: int) -> Carrier:
    """Gives parcels to an archived carrier again.

    id: the carrier
    version: the version that was read
    """
    async with info.context.transaction() as session:
        return await restore_carrier(session, row_id(id, "Carrier"), version=version)


def cut_offs(root: Carrier) -> list[CutOff]:
    """Until when it takes parcels along, from Monday on; on other days it does not come."""
    return cut_offs_of(root)


@dataclass(frozen=True, slots=True)
class ShownCarrierRate:
    """A rate of a carrier, with its amounts as money."""

    keys: Sequence[str]
    first_grams: int
    first: Money
    further_grams: int
    further: Money
    hours: int | None


def rates(root: Carrier) -> list[ShownCarrierRate]:
    """What it asks, by the shop's own table; empty for carriers that can be asked."""
    return [
        ShownCarrierRate(
            keys=rate.regions,
            first_grams=rate.first_grams,
            first=Money(rate.first_amount, rate.currency),
            further_grams=rate.further_grams,
            further=Money(rate.further_amount, rate.currency),
            hours=rate.hours,
        )
        for rate in rates_of(root)
    ]


def rate_regions(root: ShownCarrierRate) -> list[ShippingRegion]:
    """Where to; a region without a country is anywhere."""
    return [parse_region(key) for key in root.keys]


async def unhandled_reports(
    info: Info, kind: UnhandledKind | None = None, page: PageRequest = FIRST_PAGE
) -> Page[UnhandledReport]:
    """What carriers reported that the shop could not follow, the newest first.

    kind: only what could not be followed for this reason
    """
    return await query_page(info, select_unhandled_reports(kind), NEWEST_REPORT, page)


async def find_unhandled_report(info: Info, report_id: int) -> UnhandledReport | None:
    """The report, for those who see all parcels."""
    if not info.context.viewer.may(Permission.SHIPMENT_LIST):
        return None
    return await info.context.load.unhandled_report.load(report_id)


async def find_carrier_row(info: Info, carrier_id: int) -> Carrier | None:
    """The carrier, for staff only."""
    if not info.context.viewer.may(Permission.LOGISTICS_VIEW):
        return None
    return await info.context.load.carrier.load(carrier_id)
