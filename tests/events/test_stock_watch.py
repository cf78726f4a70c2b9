"""One look at the movements of stock and at the flash sales serves all who watch carts and products."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from events.topics import subject_topic
from models import Subject
from tests.api.cart.documents import create_variants
from tests.conftest import NEVER
from tests.factories.order import create_order
from tests.observe import count_statements

pytestmark = pytest.mark.settings(cart_look_every=NEVER)
"""Nothing looks at stock and flash sales but the test."""


async def test_only_watchers_of_what_is_sold_are_notified(shop: Shop, session: AsyncSession) -> None:
    tea, cup = await create_variants(shop, 2)
    await shop.stock_watch.notify_changed()
    notified = []
    async with shop.bus.listen([subject_topic(Subject.PRODUCT, tea.product_id)]) as signal:
        for variant in (cup, tea, cup):
            await create_order(session, lines=[(variant, 1)])
            await session.commit()
            with count_statements(shop) as looking:
                await shop.stock_watch.notify_changed()
            notified.append((await signal.wait(0), looking.total))

    assert notified == [(False, 2), (True, 2), (False, 2)]
