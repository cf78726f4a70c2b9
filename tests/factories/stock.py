from datetime import UTC, datetime
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.stock import adjust_stock
from models import MovementKind, StockLevel, Variant, Warehouse

NUMBERS = count(1)


async def create_warehouse(
    session: AsyncSession,
    *,
    code: str | None = None,
    name: str = "Hangzhou",
    position: int | None = None,
    province: str = "浙江省",
    city: str = "杭州市",
    active: bool = True,
    located: bool = True,
) -> Warehouse:
    number = next(NUMBERS)
    warehouse = Warehouse(
        code=code or f"WH-{number}",
        name=name,
        country_code="CN",
        province=province,
        city=city,
        district="余杭区",
        line1="仓前街道 1 号",
        latitude=30.29 if located else None,
        longitude=120.0 if located else None,
        position=position or number,
        active=active,
    )
    session.add(warehouse)
    await session.flush()
    return warehouse


async def reserved_units(session: AsyncSession, variant: Variant) -> int:
    """Units of a variant that are reserved, in all warehouses together."""
    units = select(func.sum(StockLevel.reserved)).where(StockLevel.variant_id == variant.id)
    return await session.scalar(units) or 0


async def receive(session: AsyncSession, variant: Variant, quantity: int, warehouse_id: int = 1) -> None:
    """Units come into a warehouse."""
    await adjust_stock(
        session,
        variant_id=variant.id,
        warehouse_id=warehouse_id,
        kind=MovementKind.RECEIVED,
        quantity=quantity,
        reason="It has come.",
        cause=Cause(datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
    )
