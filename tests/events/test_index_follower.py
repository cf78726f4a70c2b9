"""Search indexes follow the database, on each machine by themselves and whatever happens to their folder."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from events.search import IndexFollower
from events.shop import Shop
from gateways.search import EmbeddedIndex, IndexQuery, SearchIndex
from loaders.search import PRODUCT_LAYOUT, PRODUCTS, text_query
from loaders.search.planning import plan_query
from models import Product
from tests.factories.catalog import create_product
from tests.observe import TIMEOUT_SECONDS

SOON = timedelta(milliseconds=20)


def follower_of(shop: Shop, folder: Path) -> IndexFollower:
    return IndexFollower(shop.database, EmbeddedIndex(PRODUCT_LAYOUT, folder), PRODUCTS, SOON)


@asynccontextmanager
async def following(*followers: IndexFollower) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in followers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def found(index: SearchIndex, query: str) -> int:
    plan = await plan_query(index, query)
    assert plan
    return await index.count(IndexQuery(text_query(plan)))


async def rename(session: AsyncSession, title: str) -> None:
    await session.execute(update(Product).values(title=title))
    await session.commit()


async def test_all_processes_of_a_machine_and_other_machines_show_a_change(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    await create_product(session, title="Kettle")
    await session.commit()
    one, same, other = (follower_of(shop, tmp_path / name) for name in ("a", "a", "b"))

    async with following(one, same, other):
        for follower in (one, same, other):
            assert await found(await follower.ready(), "kettle") == 1
        await rename(session, "Samovar")

        async with asyncio.timeout(TIMEOUT_SECONDS):
            for follower in (one, same, other):
                while not await found(follower.index, "samovar"):
                    await asyncio.sleep(SOON.total_seconds())
        assert [await found(each.index, "kettle") for each in (one, same, other)] == [0, 0, 0]


async def test_the_staff_see_their_own_change_at_once(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    follower = follower_of(shop, tmp_path)
    await create_product(session, title="Kettle")
    await session.commit()
    assert await found(await follower.ready(), "kettle") == 1
    await rename(session, "Samovar")

    assert await found(await follower.ready(), "samovar") == 0
    assert await found(await follower.ready(newest=True), "samovar") == 1


async def test_a_deleted_folder_is_built_anew_while_searches_go_on(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    follower = follower_of(shop, tmp_path)
    await create_product(session, title="Kettle")
    await session.commit()
    await follower.ready()
    shutil.rmtree(tmp_path)

    assert await found(await follower.ready(), "kettle") == 1
    await rename(session, "Samovar")
    assert await follower.catch_up()

    assert await found(follower.index, "samovar") == 1
    assert await found(await follower_of(shop, tmp_path).ready(), "samovar") == 1


async def test_what_was_written_before_its_position_is_written_again_after_a_crash(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    follower = follower_of(shop, tmp_path)
    await create_product(session, title="Kettle")
    await session.commit()
    await follower.ready()
    before = await follower.index.position()
    await rename(session, "Samovar")
    await follower.catch_up()
    assert isinstance(follower.index, EmbeddedIndex)
    assert before is not None
    follower.index.note_position(before)

    again = follower_of(shop, tmp_path)
    await again.catch_up()

    assert await found(again.index, "samovar") == 1
    assert await again.index.document_count() == 1
    assert await again.index.position() != before


async def test_a_process_that_cannot_write_waits_for_the_one_that_does(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    one, other = follower_of(shop, tmp_path), follower_of(shop, tmp_path)
    await create_product(session, title="Kettle")
    await session.commit()

    async with one.index.writing():
        assert not await other.catch_up()
        waiting = asyncio.create_task(other.ready())
        await asyncio.sleep(0)
        await one.write_changes()

    assert await found(await waiting, "kettle") == 1


async def test_a_position_that_cannot_be_read_lets_the_index_be_built_anew(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    follower = follower_of(shop, tmp_path)
    await create_product(session, title="Kettle")
    await session.commit()
    await follower.ready()
    assert isinstance(follower.index, EmbeddedIndex)
    follower.index.note_position("?")
    await rename(session, "Samovar")

    await follower.catch_up()

    assert await found(follower.index, "samovar") == 1


@pytest.mark.parametrize("query", ["!", "🍵", "…?"])
async def test_a_search_without_a_word_has_no_plan(shop: Shop, tmp_path: Path, query: str) -> None:
    assert await plan_query(await follower_of(shop, tmp_path).ready(), query) is None
