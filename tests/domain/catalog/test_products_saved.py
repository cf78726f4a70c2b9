"""Saving drafts as products, and which drafts are refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.csv import export_products
from domain.catalog.product import (
    OF_FILES,
    DraftRefused,
    PictureDraft,
    PriceDraft,
    ProductDraft,
    SaveOutcome,
    VariantDraft,
    save_product,
    save_products,
)
from domain.catalog.taxonomy import CategoryDraft, save_category
from domain.cause import Cause
from domain.errors import ErrorCode
from domain.stock import Allocation, ensure_main_warehouse, levels_by_variant, reserve_stock
from events.shop import Shop
from models import (
    AttributeType,
    Category,
    CurrencyCode,
    Event,
    IndexChange,
    Media,
    Money,
    Price,
    Product,
    ProductStatus,
    StockMovement,
    Variant,
)
from tests.factories.catalog import NOW, create_attribute, save_drafts
from tests.search import indexed_words

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


async def outcome_of_saving(shop: Shop, draft: ProductDraft) -> SaveOutcome:
    (saved,) = await save_drafts(shop, draft)
    return saved.outcome


async def export_all(shop: Shop) -> list[ProductDraft]:
    async with shop.database.reads() as session:
        return [draft async for some in export_products(session) for draft in some]


async def count_rows(session: AsyncSession, model: type[object]) -> int:
    return await session.scalar(select(func.count()).select_from(model)) or 0


async def variants_of(shop: Shop, product: Product) -> list[Variant]:
    async with shop.database.reads() as session:
        statement = select(Variant).where(Variant.product_id == product.id).order_by(Variant.id)
        return list(await session.scalars(statement))


async def test_a_saved_product_equals_its_draft(shop: Shop) -> None:
    (saved,) = await save_drafts(shop, TEA)

    assert saved.outcome is SaveOutcome.CREATED
    assert saved.product.version == 1
    assert saved.product.published_at == LATER
    assert await export_all(shop) == [TEA]


async def test_saving_the_same_again_writes_nothing(shop: Shop) -> None:
    await save_drafts(shop, TEA)
    async with shop.database.reads() as session:
        before = [await count_rows(session, model) for model in (Event, StockMovement, Media, Category)]

    (saved,) = await save_drafts(shop, TEA)

    assert (saved.outcome, saved.product.version) == (SaveOutcome.UNCHANGED, 1)
    async with shop.database.reads() as session:
        after = [await count_rows(session, model) for model in (Event, StockMovement, Media, Category)]
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
    await save_drafts(shop, TEA)
    for number, different in enumerate(DIFFERENT, start=1):
        (saved,) = await save_drafts(shop, different)

        assert (saved.outcome, saved.product.version) == (SaveOutcome.UPDATED, 2 * number)
        assert await export_all(shop) == [different]
        assert await outcome_of_saving(shop, different) is SaveOutcome.UNCHANGED
        assert await outcome_of_saving(shop, TEA) is SaveOutcome.UPDATED

    async with shop.database.reads() as session:
        events = (await session.scalars(select(Event.name).order_by(Event.version))).all()
        assert events == ["product.created"] + ["product.updated"] * 2 * len(DIFFERENT)


async def test_variants_keep_their_identity(shop: Shop) -> None:
    (saved,) = await save_drafts(shop, TEA)
    small, large = await variants_of(shop, saved.product)

    by_sku = replace(SMALL, options=(("Size", "XS"),))
    by_options = replace(LARGE, sku="T-XL")
    await save_drafts(shop, replace(TEA, variants=(by_options, by_sku)))

    again = await variants_of(shop, saved.product)
    assert [(row.id, row.sku, row.name, row.position) for row in again] == [
        (small.id, "T-S", "XS", 2),
        (large.id, "T-XL", "L", 1),
    ]


async def test_a_missing_variant_is_archived_and_comes_back_as_itself(shop: Shop) -> None:
    (saved,) = await save_drafts(shop, TEA)
    before = await variants_of(shop, saved.product)

    await save_drafts(shop, replace(TEA, variants=(SMALL,)))
    assert [row.archived_at for row in await variants_of(shop, saved.product)] == [None, LATER]

    await save_drafts(shop, TEA)
    after = await variants_of(shop, saved.product)
    assert [(row.id, row.archived_at) for row in after] == [(row.id, None) for row in before]


async def test_stock_a_draft_does_not_mention_stays(shop: Shop) -> None:
    await save_drafts(shop, TEA)

    without_stock = replace(TEA, variants=(replace(SMALL, stock={}), replace(LARGE, stock={})))

    assert await outcome_of_saving(shop, without_stock) is SaveOutcome.UNCHANGED
    assert await export_all(shop) == [TEA]


async def test_stock_is_never_set_below_what_is_reserved(shop: Shop, session: AsyncSession) -> None:
    (saved,) = await save_drafts(shop, TEA)
    small, _ = await variants_of(shop, saved.product)
    main = await ensure_main_warehouse(session)
    await reserve_stock(session, [Allocation(small.id, main.id, 3)], order_id=None, cause=Cause(NOW))
    await session.commit()

    await save_drafts(shop, replace(TEA, variants=(replace(SMALL, stock={"": 0}), LARGE)))

    (level,) = (await levels_by_variant(session, [small.id]))[small.id]
    assert (level.on_hand, level.reserved) == (3, 3)
    await session.commit()


async def test_a_variant_with_a_number_of_units_is_tracked(shop: Shop) -> None:
    """Files often have units but no tracker."""
    untracked = replace(
        TEA, variants=(replace(SMALL, tracked=False), replace(LARGE, tracked=False, stock={}))
    )

    (saved,) = await save_drafts(shop, untracked)

    assert [row.tracked for row in await variants_of(shop, saved.product)] == [True, False]


async def test_a_product_without_a_category_goes_into_the_one_named_like_its_type(shop: Shop) -> None:
    await save_drafts(shop, replace(TEA, category_path=(), product_type="Leaf"))

    async with shop.database.reads() as session:
        category = (await session.scalars(select(Category))).one()
        assert (category.name, category.slug, category.path, category.depth) == (
            "Leaf",
            "leaf",
            f"/{category.id}/",
            0,
        )


async def test_missing_categories_of_a_path_are_created(shop: Shop, session: AsyncSession) -> None:
    food = await save_category(session, CategoryDraft(name="Food"))
    await session.commit()
    await save_drafts(shop, TEA, replace(TEA, slug="tea-2", category_path=("Garden", "Tea"), variants=()))

    rows = (await session.scalars(select(Category).order_by(Category.id))).all()
    assert [(row.name, row.slug, row.parent_id) for row in rows] == [
        ("Food", "food", None),
        ("Tea", "tea", food.id),
        ("Garden", "garden", None),
        ("Tea", "garden-tea", rows[2].id),
    ]
    assert rows[3].path == f"/{rows[2].id}/{rows[3].id}/"
    await session.commit()


async def test_a_wrong_value_names_what_is_allowed(shop: Shop, session: AsyncSession) -> None:
    await create_attribute(session, code="colour", values=("red", "blue"))
    await create_attribute(session, code="weight", type=AttributeType.NUMBER)
    await create_attribute(session, code="organic", type=AttributeType.BOOLEAN)
    await create_attribute(session, code="picked", type=AttributeType.DATE)
    await session.commit()
    wrong = {"colour": ("purple",), "weight": ("much",), "organic": ("maybe",), "picked": ("1.3.26",)}

    with pytest.raises(DraftRefused) as refused:
        await save_drafts(shop, replace(TEA, attributes=wrong))

    assert [(refusal.key, str(refusal.reason)) for refusal in refused.value.refusals] == [
        ("colour", 'Colour (colour) cannot be "purple"; allowed: red, blue'),
        (
            "weight",
            'Weight (weight) cannot be "much"; allowed: a number below 1,000,000,000 with at most 6 decimals,'
            " without a unit",
        ),
        ("organic", 'Organic (organic) cannot be "maybe"; allowed: true or false'),
        ("picked", 'Picked (picked) cannot be "1.3.26"; allowed: a date such as 2026-03-01'),
    ]
    assert await export_all(shop) == []


async def test_attribute_values_are_exported_in_their_canonical_form(
    shop: Shop, session: AsyncSession
) -> None:
    await create_attribute(session, code="colour", values=("red", "blue"))
    await create_attribute(session, code="weight", type=AttributeType.NUMBER)
    await create_attribute(session, code="organic", type=AttributeType.BOOLEAN)
    await create_attribute(session, code="picked", type=AttributeType.DATE)
    await session.commit()
    given = {"colour": ("blue", "Red"), "organic": ("Yes",), "picked": ("2026-03-01",), "weight": ("1.50",)}

    await save_drafts(shop, replace(TEA, attributes=given))

    (exported,) = await export_all(shop)
    assert exported.attributes == {
        "colour": ("blue", "red"),
        "organic": ("true",),
        "picked": ("2026-03-01",),
        "weight": ("1.5",),
    }


async def test_a_sku_belongs_to_one_variant(shop: Shop) -> None:
    await save_drafts(shop, TEA)
    other = replace(TEA, slug="other", variants=(SMALL,))

    with pytest.raises(DraftRefused, match=r'^Another variant has the SKU "T-S" already\.$') as refused:
        await save_drafts(shop, other)

    assert refused.value.code is ErrorCode.TAKEN
    assert refused.value.field == ("variants", 0, "sku")
    assert await export_all(shop) == [TEA]


async def test_files_may_give_one_sku_to_several_variants_which_forms_then_keep(shop: Shop) -> None:
    await save_drafts(shop, TEA)
    twin = replace(SMALL, options=(("Size", "XL"),), prices=LARGE.prices)
    other = replace(TEA, slug="other", variants=(SMALL, twin))

    async with shop.database.writes.begin() as session:
        (saved,) = await save_products(session, [other], cause=Cause(LATER), rules=OF_FILES)
    (again,) = await save_drafts(shop, replace(other, title="绿茶"))
    new = replace(LARGE, options=(("Size", "XXL"),), sku="T-S")
    with pytest.raises(DraftRefused, match="T-S"):
        await save_drafts(shop, replace(other, variants=(SMALL, twin, new)))

    assert (saved.outcome, saved.shared_skus) == (SaveOutcome.CREATED, ["T-S"])
    assert again.outcome is SaveOutcome.UPDATED
    assert await export_all(shop) == [TEA, replace(other, title="绿茶")]
    variants = await variants_of(shop, saved.product)
    assert [(row.sku, row.name, row.archived_at) for row in variants] == [
        ("T-S", "S", None),
        ("T-S", "XL", None),
    ]


async def test_variants_that_share_a_sku_are_matched_by_their_options(shop: Shop) -> None:
    twin = replace(SMALL, options=(("Size", "XL"),))
    both = replace(TEA, variants=(SMALL, twin))
    async with shop.database.writes.begin() as session:
        (saved,) = await save_products(session, [both], cause=Cause(LATER), rules=OF_FILES)
    before = [row.id for row in await variants_of(shop, saved.product)]

    async with shop.database.writes.begin() as session:
        await save_products(
            session, [replace(TEA, variants=(twin, SMALL))], cause=Cause(LATER), rules=OF_FILES
        )

    after = await variants_of(shop, saved.product)
    assert [(row.id, row.name) for row in after] == [(before[0], "S"), (before[1], "XL")]


async def test_a_sku_may_move_to_another_product(shop: Shop) -> None:
    await save_drafts(shop, TEA)
    other = replace(TEA, slug="other", variants=(SMALL,))
    left = replace(TEA, variants=(LARGE,))

    await save_drafts(shop, other, left)

    assert await export_all(shop) == [left, other]


async def test_nothing_is_saved_when_one_draft_is_refused(shop: Shop) -> None:
    deep = replace(TEA, slug="deep", category_path=("x",) * 13, variants=())

    with pytest.raises(DraftRefused, match="levels deep"):
        await save_drafts(shop, TEA, deep, replace(TEA, slug="more", variants=()))

    assert await export_all(shop) == []
    async with shop.database.reads() as session:
        assert [
            await count_rows(session, model) for model in (Event, Category, Media, Price, IndexChange)
        ] == [0] * 5


async def test_a_product_is_indexed_by_all_its_texts(shop: Shop, session: AsyncSession) -> None:
    await create_attribute(session, code="origin", values=("fujian",))
    await session.commit()
    await save_drafts(shop, TEA)

    terms = await indexed_words(shop.database)

    assert terms >= {
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
    assert "p" not in terms


async def test_the_index_changes_with_the_product(shop: Shop) -> None:
    await save_drafts(shop, TEA)
    await save_drafts(shop, replace(TEA, title="红茶"))

    terms = await indexed_words(shop.database)

    assert "红茶" in terms
    assert "乌龙茶" not in terms


async def test_a_single_product_can_be_saved(shop: Shop, session: AsyncSession) -> None:
    saved = await save_product(session, TEA, cause=Cause(NOW))
    await session.commit()
    assert saved.outcome is SaveOutcome.CREATED
