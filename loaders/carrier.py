from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from loaders.shipment import ShipmentRoute, load_routes
from models import (
    Carrier,
    CarrierCode,
    CarrierRule,
    LabelFormat,
    UnhandledKind,
    UnhandledReport,
    Waybill,
    WaybillStatus,
)
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_REPORT = Sort("newest", (Key(UnhandledReport.id, descending=True),))
NEWEST_WAYBILL = Sort("newest", (Key(Waybill.id, descending=True),))


def select_unhandled_reports(kind: UnhandledKind | None) -> AnySelect:
    statement = select(UnhandledReport)
    return statement if kind is None else statement.where(UnhandledReport.kind == kind)


def select_waybill_tasks(*, is_open: bool | None = None) -> AnySelect:
    """Waybills that their carriers do not cancel, or of which they do not say what became."""
    statement = select(Waybill).where(Waybill.status == WaybillStatus.CANCEL_REFUSED)
    if is_open is not None:
        statement = statement.where(Waybill.settled_at.is_(None) == is_open)
    return statement


async def load_carriers(reads: Reads, *, archived: bool = False) -> Sequence[Carrier]:
    """All carriers that take parcels, or all, in their turn."""
    statement = select(Carrier).order_by(Carrier.position, Carrier.id)
    if not archived:
        statement = statement.where(Carrier.archived_at.is_(None))
    async with reads() as session:
        return (await session.scalars(statement)).all()


async def find_carrier_by_code(reads: Reads, code: CarrierCode | None) -> Carrier | None:
    async with reads() as session:
        found: Carrier | None = await session.scalar(select(Carrier).where(Carrier.code == code))
        return found


async def load_parcels_of_waybill(reads: Reads, waybill_id: int) -> list[ShipmentRoute]:
    """The routes of all parcels on a waybill, that of its number first; those that are still packed."""
    async with reads() as session:
        found = await session.scalars(
            select(Waybill.shipment_id)
            .where((Waybill.id == waybill_id) | (Waybill.mother_id == waybill_id))
            .where(Waybill.shipment_id.is_not(None))
            .order_by(Waybill.id)
        )
        ids = [each for each in found if each is not None]
    routes = await load_routes(reads, ids)
    return [routes[each] for each in ids if each in routes]


async def load_carrier_rules(reads: Reads, *, archived: bool = False) -> Sequence[CarrierRule]:
    """All rules that choose carriers, or also those that choose no more, in their turn."""
    statement = select(CarrierRule).order_by(CarrierRule.position, CarrierRule.id)
    if not archived:
        statement = statement.where(CarrierRule.archived_at.is_(None))
    async with reads() as session:
        return (await session.scalars(statement)).all()


class CarrierRuleById(ByKey[int, CarrierRule]):
    key = CarrierRule.id


class CarrierById(ByKey[int, Carrier]):
    key = Carrier.id


class CarrierByCode(ByKey[CarrierCode, Carrier]):
    key = Carrier.code


class WaybillsByShipment(ManyByKey[int | None, Waybill]):
    key = Waybill.shipment_id
    order_by = Waybill.id


class WaybillById(ByKey[int, Waybill]):
    key = Waybill.id


class WaybillLabelFile(NamedTuple):
    """The label of a waybill as a carrier gave it."""

    format: LabelFormat | None
    kind: str | None
    content: bytes | None


class LabelByWaybill(Grouped[int, WaybillLabelFile | None]):
    """Labels, which are large: they are read where they are asked for."""

    def default(self) -> None:
        return None

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, WaybillLabelFile | None]:
        statement = select(Waybill.id, Waybill.label_format, Waybill.label_kind, Waybill.label)
        rows = await session.execute(statement.where(Waybill.id.in_(keys)))
        return {id: WaybillLabelFile(form, kind, content) for id, form, kind, content in rows}


class UnhandledReportById(ByKey[int, UnhandledReport]):
    key = UnhandledReport.id


class CarrierLoaders:
    unhandled_report = loader(UnhandledReportById)
    waybill = loader(WaybillById)
    waybill_label = loader(LabelByWaybill)
    waybills = loader(WaybillsByShipment)
    carrier = loader(CarrierById)
    carrier_rule = loader(CarrierRuleById)
    carrier_by_code = loader(CarrierByCode)
