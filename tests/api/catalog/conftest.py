"""A shop with a shelf of teas."""

from datetime import timedelta

import pytest

from domain.catalog.attributes import ValueDraft, save_attribute
from domain.catalog.saving import import_products
from events.shop import Shop
from models import AttributeType
from tests.api.catalog.shelf import SHELF
from tests.factories.catalog import NOW


@pytest.fixture
async def shelf(shop: Shop) -> Shop:
    async with shop.database.writes.begin() as session:
        values = [
            ValueDraft("fujian", "福建", {"en": {"name": "Fujian"}}),
            ValueDraft("zhejiang", "浙江", {"en": {"name": "Zhejiang"}}),
            ValueDraft("yunnan", "云南", {"en": {"name": "Yunnan"}}),
        ]
        await save_attribute(
            session, code="origin", name="产地", type=AttributeType.ENUM, filterable=True, values=values
        )
        await save_attribute(
            session, code="organic", name="有机", type=AttributeType.BOOLEAN, filterable=True
        )
        for days, draft in enumerate(SHELF):
            await import_products(session, [draft], now=NOW + timedelta(days=days))
    return shop
