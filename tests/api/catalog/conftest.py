"""A shop with a small catalogue."""

from datetime import timedelta

import pytest

from domain.catalog.product import save_products
from domain.catalog.taxonomy import AttributeDraft, ValueDraft, save_attribute
from domain.cause import Cause
from events.shop import Shop
from models import AttributeType
from tests.api.catalog.sample import PRODUCTS
from tests.factories.catalog import NOW


@pytest.fixture
async def catalogue(shop: Shop) -> Shop:
    async with shop.database.writes.begin() as session:
        values = [
            ValueDraft("fujian", "福建", {"en": {"name": "Fujian"}}),
            ValueDraft("zhejiang", "浙江", {"en": {"name": "Zhejiang"}}),
            ValueDraft("yunnan", "云南", {"en": {"name": "Yunnan"}}),
        ]
        await save_attribute(
            session,
            AttributeDraft(
                code="origin", name="产地", type=AttributeType.ENUM, filterable=True, values=values
            ),
        )
        await save_attribute(
            session, AttributeDraft(code="organic", name="有机", type=AttributeType.BOOLEAN, filterable=True)
        )
        for days, draft in enumerate(PRODUCTS):
            await save_products(session, [draft], cause=Cause(NOW + timedelta(days=days)))
    return shop
