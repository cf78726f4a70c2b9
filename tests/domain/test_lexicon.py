"""What is known of every word follows the products."""

from dataclasses import replace

from sqlalchemy import select

from domain.catalog.drafts import ProductDraft
from domain.catalog.saving import import_products
from domain.catalog.wording import index_next, index_products
from events.shop import Shop
from models import KnownWord, Product, ProductTerm, ProductWords, WordRemains
from tests.factories.catalog import NOW, create_product
from tests.observe import statements

LAMP = ProductDraft(slug="lamp", title="Desk lamp")


async def save(shop: Shop, *drafts: ProductDraft) -> None:
    async with shop.database.writes.begin() as session:
        await import_products(session, drafts, now=NOW)


async def known(shop: Shop) -> dict[str, int]:
    async with shop.database.reads() as session:
        return {row.word: row.products for row in await session.scalars(select(KnownWord))}


async def test_words_are_counted_and_forgotten_with_their_last_product(shop: Shop) -> None:
    await save(shop, LAMP, replace(LAMP, slug="other", title="Lamp"))
    assert await known(shop) == {"": 2, "desk": 1, "lamp": 2}

    await save(shop, replace(LAMP, title="Lantern"))

    assert await known(shop) == {"": 2, "lamp": 1, "lantern": 1}
    async with shop.database.reads() as session:
        remains = set(await session.scalars(select(WordRemains.word)))
        terms = (await session.execute(select(ProductTerm.term).order_by(ProductTerm.term))).scalars().all()
    assert remains == {"lamp", "lantern"}
    assert terms == ["lamp", "lantern"]


async def test_what_is_read_again_unchanged_is_not_written_again(shop: Shop) -> None:
    await save(shop, LAMP)
    before = await known(shop)
    with statements(shop) as counted:
        async with shop.database.writes.begin() as session:
            await index_products(session, list(await session.scalars(select(Product.id))))

    written = [text for text in counted.texts if text.startswith(("INSERT", "DELETE"))]
    assert [text.split()[2] for text in written] == ["product_words", "product_choices"]
    assert all(" WHERE " in text and " != " in text for text in written)
    assert await known(shop) == before


async def test_reading_anew_goes_through_all_products_or_those_no_search_finds(shop: Shop) -> None:
    await save(shop, LAMP)
    async with shop.database.writes.begin() as session:
        other = await create_product(session, title="Teapot")
        assert await index_next(session, 0, all_of_them=False) == other.id
        assert await index_next(session, other.id, all_of_them=False) is None
        assert await index_next(session, 0, all_of_them=False) is None
        assert await index_next(session, 0, all_of_them=True) == other.id
        words = (await session.scalars(select(ProductWords.words).order_by(ProductWords.product_id))).all()

    assert words[0] == "desk lamp"
    assert "teapot" in words[1].split()
    assert (await known(shop))["teapot"] == 1
