from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from models import Warehouse

NUMBERS = count(1)


async def create_warehouse(
    session: AsyncSession, *, code: str | None = None, name: str = "Hangzhou", position: int | None = None
) -> Warehouse:
    number = next(NUMBERS)
    warehouse = Warehouse(
        code=code or f"WH-{number}",
        name=name,
        country_code="CN",
        province="浙江省",
        city="杭州市",
        district="余杭区",
        line1="仓前街道 1 号",
        latitude=30.29,
        longitude=120.0,
        position=position or number,
    )
    session.add(warehouse)
    await session.flush()
    return warehouse
