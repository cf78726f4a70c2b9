from collections.abc import Sequence

from sqlalchemy import Select, select

from loaders.base import ByKey, ManyByKey, Reads, loader
from models import StockLevel, Warehouse


async def every_warehouse(reads: Reads) -> Sequence[Warehouse]:
    """The main one first."""
    async with reads() as session:
        return (await session.scalars(select(Warehouse).order_by(Warehouse.position, Warehouse.id))).all()


class WarehouseById(ByKey[int, Warehouse]):
    key = Warehouse.id


class LevelsByVariant(ManyByKey[int, StockLevel]):
    """The main warehouse's first."""

    key = StockLevel.variant_id
    order_by = (Warehouse.position, Warehouse.id)

    def statement(self) -> Select[StockLevel]:
        return select(StockLevel).join(Warehouse, Warehouse.id == StockLevel.warehouse_id)


class StockLoaders:
    warehouse = loader(WarehouseById)
    variant_stock = loader(LevelsByVariant)
