"""The search index follows the products."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import ProductDraft
from domain.catalog.search_index import index_next_batch, index_products
from events.shop import Shop
from models import IndexedTerm, Product, ProductSearchText, ProductTerm, TermDeletion
from tests.factories.catalog import create_product, save_drafts
from tests.observe import count_statements

LAMP = ProductDraft(slug="lamp", title="Desk lamp")


async def product_counts(shop: Shop) -> dict[str, int]:
    async with shop.database.reads() as session:
        return {row.term: row.product_count for row in await session.scalars(select(IndexedTerm))}


async def test_terms_are_counted_and_deleted_with_their_last_product(shop: Shop) -> None:
    await save_drafts(shop, LAMP, replace(LAMP, slug="other", title="Lamp"))
    assert await product_counts(shop) == {"": 2, "desk": 1, "lamp": 2}

    await save_drafts(shop, replace(LAMP, title="Lantern"))

    assert await product_counts(shop) == {"": 2, "lamp": 1, "lantern": 1}
    async with shop.database.reads() as session:
        deletions = set(await session.scalars(select(TermDeletion.term)))
        terms = (await session.execute(select(ProductTerm.term).order_by(ProductTerm.term))).scalars().all()
    assert deletions == {"lamp", "lantern"}
    assert terms == ["lamp", "lantern"]


async def test_an_unchanged_product_is_not_written_to_the_index_again(
    shop: Shop, session: AsyncSession
) -> None:
    await save_drafts(shop, LAMP)
    before = await product_counts(shop)
    with count_statements(shop) as counted:
        await index_products(session, list(await session.scalars(select(Product.id))))
        await session.commit()

    written = [text for text in counted.texts if text.startswith(("INSERT", "DELETE"))]
    assert [text.split()[2] for text in written] == ["product_search_texts", "product_facet_values"]
    assert all(" WHERE " in text and " != " in text for text in written)
    assert await product_counts(shop) == before


async def test_reindexing_covers_all_products_or_those_not_indexed_yet(
    shop: Shop, session: AsyncSession
) -> None:
    await save_drafts(shop, LAMP)
    other = await create_product(session, title="Teapot")
    assert await index_next_batch(session, 0, include_indexed=False) == other.id
    assert await index_next_batch(session, other.id, include_indexed=False) is None
    assert await index_next_batch(session, 0, include_indexed=False) is None
    assert await index_next_batch(session, 0, include_indexed=True) == other.id
    texts = (
        await session.scalars(select(ProductSearchText.text).order_by(ProductSearchText.product_id))
    ).all()
    await session.commit()

    assert texts[0] == "desk lamp"
    assert "teapot" in texts[1].split()
    assert (await product_counts(shop))["teapot"] == 1
