from collections.abc import Sequence

from sqlalchemy import select

from models import CashRule
from models.database import Reads


async def load_cash_rules(reads: Reads) -> Sequence[CashRule]:
    """All rules of cash at the door, by country, province and currency."""
    order = (CashRule.country_code, CashRule.province, CashRule.currency)
    async with reads() as session:
        return (await session.scalars(select(CashRule).order_by(*order))).all()
