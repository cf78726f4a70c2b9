"""Saving products: what a draft says is what the shop has, and what it does not say is left alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.exporting import export_products
from domain.catalog.refusals import Refused
from domain.catalog.saving import Outcome, Saved, import_products, save_product
from domain.catalog.tree import save_category
from domain.errors import ErrorCode
from domain.stock import Allocation, levels, main_warehouse, reserve
from events.shop import Shop
from models import (
    AttributeType,
    Category,
    CurrencyCode,
    Event,
    Media,
    Money,
    Price,
    Product,
    ProductStatus,
    ProductWords,
    StockMovement,
    Variant,
)
from tests.factories.catalog import NOW, create_attribute

CNY = CurrencyCode.CNY
LATER = NOW + timedelta(days=1)

SMALL = VariantDraft(
    options=(("Size", "S"),), sku="T-S", prices={CNY: PriceDraft(Money(1_000, CNY))}, stock={"": 5}
)
LARGE = VariantDraft(
    options=(("Size", "L"),),
    sku="T-L",
    prices={
        CNY: PriceDraft(Money(2_000, CNY), Money(2_500, CNY)),
        CurrencyCode.USD: PriceDraft(Money(300, CurrencyCode.USD)),
    },
    stock={"": 7, "SOUTH": 2},
    picture_url="https://pictures.test/large.jpg",
)
TEA = ProductDraft(
    slug="tea",
    title="乌龙茶",
    description="<p>Picked in spring</p>",
    brand="Hill Farm",
    category_path=("Food", "Tea"),
    tags=("gift",),
    translations={"en": {"title": "Oolong tea", "description": "<p>Spring</p>"}},
    attributes={"origin": ("Fujian",)},
    pictures=(
        PictureDraft("https://pictures.test/1.jpg", "A cup", 1),
        PictureDraft("https://pictures.test/2.jpg", "", 2),
    ),
    variants=(SMALL, LARGE),
    columns={"Gift Card": "FALSE"},
)


async def save(shop: Shop, *drafts: ProductDraft) -> list[Saved]:
    async with shop.database.writes.begin() as session:
        return await import_products(session, drafts, now=LATER)


async def saved_again(shop: Shop, draft: ProductDraft) -> Outcome:
    (saved,) = await save(shop, draft)
    return saved.outcome


async def everything(shop: Shop) -> list[ProductDraft]:
    async with shop.database.reads() as session:
        return [draft async for some in export_products(session) for draft in some]


async def count(session: AsyncSession, model: type[object]) -> int:
    return await session.scalar(select(func.count()).select_from(model)) or 0


async def variants_of(shop: Shop, product: Product) -> list[Variant]:
    async with shop.database.reads() as session:
        wanted = select(Variant).where(Variant.product_id == product.id).order_by(Variant.id)
        return list(await session.scalars(wanted))


async def test_a_product_is_what_its_draft_says(shop: Shop) -> None:
    (saved,) = await save(shop, TEA)

    assert saved.outcome is Outcome.CREATED
    assert saved.product.version == 1
    assert saved.product.published_at == LATER
    assert await everything(shop) == [TEA]


async def test_saving_the_same_again_writes_nothing(shop: Shop) -> None:
    await save(shop, TEA)
    async with shop.database.reads() as session:
        before = [await count(session, model) for model in (Event, StockMovement, Media, Category)]

    (saved,) = await save(shop, TEA)

    assert (saved.outcome, saved.product.version) == (Outcome.UNCHANGED, 1)
    async with shop.database.reads() as session:
        after = [await count(session, model) for model in (Event, StockMovement, Media, Category)]
    assert after == before


DIFFERENT = [
    replace(TEA, title="红茶"),
    replace(TEA, description=""),
    replace(TEA, brand=""),
    replace(TEA, category_path=("Food",)),
    replace(TEA, tags=()),
    replace(TEA, status=ProductStatus.DRAFT),
    replace(TEA, seo_title="Tea"),
    replace(TEA, translations={}),
    replace(TEA, attributes={"origin": ("Fujian", "Anhui")}),
    replace(TEA, attributes={}),
    replace(TEA, pictures=TEA.pictures[:1]),
    replace(TEA, pictures=(PictureDraft("https://pictures.test/1.jpg", "Two cups", 1),)),
    replace(TEA, columns={}),
    replace(TEA, variants=(LARGE, SMALL)),
    replace(TEA, variants=(SMALL,)),
    replace(TEA, variants=(SMALL, replace(LARGE, prices=SMALL.prices))),
    replace(TEA, variants=(SMALL, replace(LARGE, stock={"": 6, "SOUTH": 2}))),
    replace(TEA, variants=(replace(SMALL, sku=None), LARGE)),
    replace(TEA, variants=(replace(SMALL, weight_grams=7), LARGE)),
    replace(TEA, variants=(SMALL, replace(LARGE, picture_url=None))),
    replace(TEA, variants=(SMALL, replace(LARGE, picture_url="https://pictures.test/1.jpg"))),
]


async def test_every_difference_is_saved_and_makes_one_version(shop: Shop) -> None:
    await save(shop, TEA)
    for number, different in enumerate(DIFFERENT, start=1):
        (saved,) = await save(shop, different)

        assert (saved.outcome, saved.product.version) == (Outcome.UPDATED, 2 * number)
        assert await everything(shop) == [different]
        assert await saved_again(shop, different) is Outcome.UNCHANGED
        assert await saved_again(shop, TEA) is Outcome.UPDATED

    async with shop.database.reads() as session:
        events = (await session.scalars(select(Event.name).order_by(Event.version))).all()
        assert events == ["product.created"] + ["product.updated"] * 2 * len(DIFFERENT)


async def test_variants_keep_their_identity(shop: Shop) -> None:
    (saved,) = await save(shop, TEA)
    small, large = await variants_of(shop, saved.product)

    by_sku = replace(SMALL, options=(("Size", "XS"),))
    by_options = replace(LARGE, sku="T-XL")
    await save(shop, replace(TEA, variants=(by_options, by_sku)))

    again = await variants_of(shop, saved.product)
    assert [(row.id, row.sku, row.name, row.position) for row in again] == [
        (small.id, "T-S", "XS", 2),
        (large.id, "T-XL", "L", 1),
    ]


async def test_a_missing_variant_is_archived_and_comes_back_as_itself(shop: Shop) -> None:
    (saved,) = await save(shop, TEA)
    before = await variants_of(shop, saved.product)

    await save(shop, replace(TEA, variants=(SMALL,)))
    assert [row.archived_at for row in await variants_of(shop, saved.product)] == [None, LATER]

    await save(shop, TEA)
    after = await variants_of(shop, saved.product)
    assert [(row.id, row.archived_at) for row in after] == [(row.id, None) for row in before]


async def test_stock_that_is_not_told_is_left_alone(shop: Shop) -> None:
    await save(shop, TEA)

    silent = replace(TEA, variants=(replace(SMALL, stock={}), replace(LARGE, stock={})))

    assert await saved_again(shop, silent) is Outcome.UNCHANGED
    assert await everything(shop) == [TEA]


async def test_stock_is_never_set_below_what_is_reserved(shop: Shop) -> None:
    (saved,) = await save(shop, TEA)
    small, _ = await variants_of(shop, saved.product)
    async with shop.database.writes.begin() as session:
        main = await main_warehouse(session)
        await reserve(session, [Allocation(small.id, main.id, 3)], order_id=None, now=NOW)

    await save(shop, replace(TEA, variants=(replace(SMALL, stock={"": 0}), LARGE)))

    async with shop.database.reads() as session:
        (level,) = (await levels(session, [small.id]))[small.id]
        assert (level.on_hand, level.reserved) == (3, 3)


async def test_what_has_a_number_is_counted(shop: Shop) -> None:
    """Files often name units but no tracker."""
    untold = replace(TEA, variants=(replace(SMALL, tracked=False), replace(LARGE, tracked=False, stock={})))

    (saved,) = await save(shop, untold)

    assert [row.tracked for row in await variants_of(shop, saved.product)] == [True, False]


async def test_a_product_without_a_category_stands_in_the_one_of_its_type(shop: Shop) -> None:
    await save(shop, replace(TEA, category_path=(), product_type="Leaf"))

    async with shop.database.reads() as session:
        category = (await session.scalars(select(Category))).one()
        assert (category.name, category.slug, category.path, category.depth) == (
            "Leaf",
            "leaf",
            f"/{category.id}/",
            0,
        )


async def test_a_path_makes_the_places_that_are_missing(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        food = await save_category(session, name="Food")
    await save(shop, TEA, replace(TEA, slug="tea-2", category_path=("Garden", "Tea"), variants=()))

    async with shop.database.reads() as session:
        rows = (await session.scalars(select(Category).order_by(Category.id))).all()
        assert [(row.name, row.slug, row.parent_id) for row in rows] == [
            ("Food", "food", None),
            ("Tea", "tea", food.id),
            ("Garden", "garden", None),
            ("Tea", "garden-tea", rows[2].id),
        ]
        assert rows[3].path == f"/{rows[2].id}/{rows[3].id}/"


async def test_a_wrong_value_names_what_is_allowed(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_attribute(session, code="colour", values=("red", "blue"))
        await create_attribute(session, code="weight", type=AttributeType.NUMBER)
        await create_attribute(session, code="organic", type=AttributeType.BOOLEAN)
        await create_attribute(session, code="picked", type=AttributeType.DATE)
    wrong = {"colour": ("purple",), "weight": ("much",), "organic": ("maybe",), "picked": ("1.3.26",)}

    with pytest.raises(Refused) as refused:
        await save(shop, replace(TEA, attributes=wrong))

    assert [(refusal.column, refusal.reason) for refusal in refused.value.refusals] == [
        ("Attribute / colour", 'Colour (colour) cannot be "purple"; allowed: red, blue'),
        (
            "Attribute / weight",
            'Weight (weight) cannot be "much"; allowed: a number below 1,000,000,000 with at most 6 decimals,'
            " without a unit",
        ),
        ("Attribute / organic", 'Organic (organic) cannot be "maybe"; allowed: true or false'),
        ("Attribute / picked", 'Picked (picked) cannot be "1.3.26"; allowed: a date such as 2026-03-01'),
    ]
    assert await everything(shop) == []


async def test_values_come_out_as_they_went_in(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_attribute(session, code="colour", values=("red", "blue"))
        await create_attribute(session, code="weight", type=AttributeType.NUMBER)
        await create_attribute(session, code="organic", type=AttributeType.BOOLEAN)
        await create_attribute(session, code="picked", type=AttributeType.DATE)
    told = {"colour": ("blue", "Red"), "organic": ("Yes",), "picked": ("2026-03-01",), "weight": ("1.50",)}

    await save(shop, replace(TEA, attributes=told))

    (kept,) = await everything(shop)
    assert kept.attributes == {
        "colour": ("blue", "red"),
        "organic": ("true",),
        "picked": ("2026-03-01",),
        "weight": ("1.5",),
    }


async def test_a_sku_belongs_to_one_variant(shop: Shop) -> None:
    await save(shop, TEA)
    other = replace(TEA, slug="other", variants=(SMALL,))

    with pytest.raises(Refused, match=r'^Another variant has the SKU "T-S" already\.$') as refused:
        await save(shop, other)

    assert refused.value.code is ErrorCode.TAKEN
    assert refused.value.field == ("variants", 0, "sku")
    assert await everything(shop) == [TEA]


async def test_a_sku_may_move_to_another_product(shop: Shop) -> None:
    await save(shop, TEA)
    other = replace(TEA, slug="other", variants=(SMALL,))
    left = replace(TEA, variants=(LARGE,))

    await save(shop, other, left)

    assert await everything(shop) == [left, other]


async def test_nothing_is_saved_when_one_draft_is_refused(shop: Shop) -> None:
    deep = replace(TEA, slug="deep", category_path=("x",) * 13, variants=())

    with pytest.raises(Refused, match="levels deep"):
        await save(shop, TEA, deep, replace(TEA, slug="more", variants=()))

    assert await everything(shop) == []
    async with shop.database.reads() as session:
        assert [await count(session, model) for model in (Event, Category, Media, Price, ProductWords)] == [
            0
        ] * 5


async def test_a_product_is_found_by_all_its_words(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_attribute(session, code="origin", values=("fujian",))
    await save(shop, TEA)

    async with shop.database.reads() as session:
        words = set((await session.scalars(select(ProductWords.words))).one().split())

    assert words >= {
        "乌龙",
        "乌龙茶",
        "茶",
        "oolong",
        "tea",
        "hill",
        "farm",
        "food",
        "gift",
        "spring",
        "fujian",
        "l",
    }
    assert "p" not in words


async def test_words_change_with_the_product(shop: Shop) -> None:
    await save(shop, TEA)
    await save(shop, replace(TEA, title="红茶"))

    async with shop.database.reads() as session:
        words = (await session.scalars(select(ProductWords.words))).one().split()

    assert "红茶" in words
    assert "乌龙茶" not in words


async def test_one_product_can_be_saved_alone(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        saved = await save_product(session, TEA, now=NOW)
    assert saved.outcome is Outcome.CREATED
