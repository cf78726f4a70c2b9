"""The index of articles follows the database like that of products."""

import shutil
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from events.search import IndexFollower
from events.shop import Shop
from gateways.search import EmbeddedIndex
from loaders.knowledge import ArticleSearch, find_candidates
from loaders.search import ARTICLE_LAYOUT, ARTICLES
from models import Article, ArticleStatus
from tests.factories.catalog import create_product
from tests.factories.knowledge import NOW, create_article
from tests.observe import count_statements

SOON = timedelta(milliseconds=20)


def follower_of(shop: Shop, folder: Path) -> IndexFollower:
    return IndexFollower(shop.database, EmbeddedIndex(ARTICLE_LAYOUT, folder), ARTICLES, SOON)


async def suggested(follower: IndexFollower, text: str) -> list[int]:
    (found,) = await find_candidates(ArticleSearch(await follower.ready(newest=True)), [text])
    return found.ids


async def test_each_change_of_an_article_is_followed(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    article = await create_article(session, title="Kettles", published=False)
    await session.commit()
    follower = follower_of(shop, tmp_path)

    for values, kettles, samovars in (
        ({"status": ArticleStatus.PUBLISHED}, True, False),
        ({"title": "Samovars"}, False, True),
        ({"archived_at": NOW}, False, False),
        ({"archived_at": None, "body": "A kettle, too."}, True, True),
        ({"status": ArticleStatus.DRAFT}, False, False),
    ):
        await session.execute(update(Article).values(values))
        await session.commit()
        assert (await suggested(follower, "the kettles")) == ([article.id] if kettles else [])
        assert (await suggested(follower, "the samovars")) == ([article.id] if samovars else [])


async def test_a_lost_folder_is_built_anew(shop: Shop, session: AsyncSession, tmp_path: Path) -> None:
    article = await create_article(session, title="Kettles")
    await session.commit()
    follower = follower_of(shop, tmp_path)
    assert await suggested(follower, "kettles") == [article.id]
    shutil.rmtree(tmp_path)

    assert await suggested(follower_of(shop, tmp_path), "kettles") == [article.id]


async def test_changes_of_products_move_the_position_and_are_read_once(
    shop: Shop, session: AsyncSession, tmp_path: Path
) -> None:
    await create_article(session)
    await session.commit()
    follower = follower_of(shop, tmp_path)
    await follower.ready()
    before = await follower.index.position()
    await create_product(session)
    await session.commit()

    assert await follower.catch_up()
    with count_statements(shop) as counted:
        assert await follower.catch_up()

    assert await follower.index.position() != before
    assert counted.total == 1
    assert await follower.index.document_count() == 1
