"""One look at the shelves serves all who watch carts."""

from pathlib import Path

import pytest

from events.shop import Shop
from events.topics import subject_topic
from models import Subject
from settings import Settings
from tests.api.cart.asking import shelf
from tests.conftest import NEVER, settings_for
from tests.factories.order import create_order
from tests.observe import statements


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Nobody looks but the test."""
    return settings_for(database_url, tmp_path, cart_look_every=NEVER)


async def test_only_who_watches_what_is_sold_is_called_to_look(shop: Shop) -> None:
    tea, cup = await shelf(shop, 2)
    await shop.shelves.look(shop)
    called = []
    async with shop.bus.listen([subject_topic(Subject.PRODUCT, tea.product_id)]) as bell:
        for variant in (cup, tea, cup):
            async with shop.database.writes.begin() as session:
                await create_order(session, lines=[(variant, 1)])
            with statements(shop) as looking:
                await shop.shelves.look(shop)
            called.append((await bell.wait(0), looking.total))

    assert called == [(False, 1), (True, 1), (False, 1)]
