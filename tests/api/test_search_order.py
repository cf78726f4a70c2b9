"""What a search lists first: the thing before its accessories, what buyers want, not the same ten times."""

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.knowledge.synonym import save_synonyms
from events.shop import Shop
from models import AttributeType, ProductSales
from tests.api.test_search import FIND, product_draft, search_slugs
from tests.clients import Clients
from tests.factories.catalog import create_attribute, create_category, create_product, save_drafts

THINGS = {
    "laptop": ("Volta Air laptop 14 inch silver", "Laptop sleeve", "Laptop stand", "Laptop bag"),
    "phone": ("Volta X2 phone 128 GB blue", "Phone case", "Phone holder", "Charger for phone"),
    "camera": ("Volta digital camera 24 MP", "Camera bag", "Camera strap", "Tripod for camera"),
    "keyboard": ("Volta wireless keyboard USB black", "Keyboard cover", "Keyboard wrist rest"),
    "mouse": ("Volta wireless mouse USB", "Mouse pad", "Mouse pad with wrist rest"),
    "tablet": ("Volta Tab tablet 64 GB gray", "Tablet pen", "Tablet cover"),
    "printer": ("Volta 200 colour laser printer A4", "Printer cable", "Toner for printer"),
    "monitor": ("Volta wide monitor 27 inch black", "Monitor arm", "Monitor stand"),
    "watch": ("Volta steel watch 40 mm", "Watch strap", "Watch box"),
    "bicycle": ("Volta city bicycle, 7 gears", "Bicycle lock", "Bicycle bell"),
    "tent": ("Volta trek tent for 2 persons", "Tent pegs", "Tent lamp"),
    "violin": ("Volta student violin, maple", "Violin bow", "Violin case"),
    "手机": ("星辰 X2 手机 128GB 全网通", "手机壳", "手机支架", "手机数据线"),
    "耳机": ("星辰蓝牙耳机 白色", "耳机收纳包", "耳机转接头"),
    "相机": ("星辰数码相机 2400万像素", "相机包", "相机三脚架"),
    "电脑": ("星辰 14寸 轻薄电脑", "电脑包", "电脑支架"),
    "键盘": ("星辰机械键盘 104键", "键盘膜", "键盘手托"),
    "平板": ("星辰平板 64GB 深空灰", "平板保护套", "平板支架"),
    "口红": ("星辰正红色口红 3.5g", "口红收纳盒", "口红刷"),
    "钢笔": ("星辰学生钢笔 0.5mm", "钢笔墨水", "钢笔盒"),
}


async def test_the_thing_comes_before_its_accessories(shop: Shop, clients: Clients) -> None:
    assert len(THINGS) == 20
    for place, titles in enumerate(THINGS.values()):
        await save_drafts(
            shop,
            *(
                product_draft(f"{'thing' if at == 0 else f'part-{at}'}-{place}", title, category_path=())
                for at, title in enumerate(titles)
            ),
        )
    guest = clients.guest()

    found = {query: (await search_slugs(guest, query))[:1] for query in THINGS}

    assert found == {query: [f"thing-{place}"] for place, query in enumerate(THINGS)}


@pytest.mark.parametrize(
    ("query", "first"), [("laptop bag", "bag"), ("stand for laptop", "stand"), ("电脑包", "han")]
)
async def test_an_accessory_is_found_first_where_it_is_asked_for(
    shop: Shop, clients: Clients, query: str, first: str
) -> None:
    await save_drafts(
        shop,
        product_draft("bag", "Laptop bag for 14 inch"),
        product_draft("stand", "Aluminium stand for laptop"),
        product_draft("laptop", "Laptop with bag and stand"),
        product_draft("han", "电脑包 14寸", category_path=()),
        product_draft("computer", "电脑 送包", category_path=()),
    )

    assert (await search_slugs(clients.guest(), query))[0] == first


async def test_the_thing_is_found_by_the_words_that_the_shop_says_mean_the_same(
    shop: Shop, clients: Clients
) -> None:
    await save_drafts(
        shop,
        product_draft("notebook", "Volta Air notebook 14 inch"),
        product_draft("sleeve", "Laptop sleeve"),
        product_draft("bag", "Notebook bag"),
    )
    guest = clients.guest()
    assert await search_slugs(guest, "laptop") == ["sleeve"]
    async with shop.database.writes.begin() as session:
        cause = Cause(shop.clock())
        await save_synonyms(session, None, ["laptop", "notebook"], version=None, cause=cause)

    assert await search_slugs(guest, "laptop") == ["notebook", "sleeve", "bag"]
    assert (await search_slugs(guest, "laptop bag"))[0] == "bag"


async def test_what_a_product_is_used_with_does_not_say_what_it_is(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    device = await create_attribute(session, code="device_type", type=AttributeType.TEXT)
    await session.commit()
    await save_drafts(
        shop,
        replace(product_draft("protector", "Screen protector tablet"), attributes={device.code: ("Tablet",)}),
        product_draft("tablet", "Volta Tab tablet 64 GB gray"),
    )

    assert await search_slugs(clients.guest(), "tablet") == ["tablet", "protector"]


async def test_the_own_category_of_a_product_says_what_it_is(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    phones = await create_category(session, name="Phones")
    cases = await create_category(session, name="Phone cases", parent=phones)
    await create_product(session, slug="phone", title="Volta phone special edition", category=phones)
    await create_product(session, slug="case", title="Volta phone special edition", category=cases)
    await session.commit()

    assert await search_slugs(clients.guest(), "phone") == ["phone", "case"]
    assert await search_slugs(clients.guest(), "volta case") == ["case", "phone"]


async def test_what_buyers_want_comes_first_within_a_bound(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    liked = await create_product(session, slug="liked", title="Lamp")
    other = await create_product(session, slug="other", title="Lamp")
    far = await create_product(session, slug="far", title="Table with a lamp, a drawer and a shelf for books")
    session.add_all(
        [
            ProductSales(product_id=liked.id, units=0, interest=3),
            ProductSales(product_id=other.id, units=0, interest=1),
            ProductSales(product_id=far.id, units=10**9, interest=30),
        ]
    )
    await session.commit()

    assert await search_slugs(clients.guest(), "lamp") == ["liked", "other", "far"]


async def test_what_looks_the_same_is_spread(shop: Shop, clients: Clients) -> None:
    await save_drafts(shop, product_draft("bamboo", "Bamboo desk lamp", category_path=()))
    await save_drafts(
        shop,
        *(
            product_draft(colour, f"Desk lamp {colour}", category_path=())
            for colour in ("red", "blue", "white")
        ),
    )

    found = await search_slugs(clients.guest(), "desk lamp")

    assert found == ["red", "bamboo", "blue", "white"]


async def test_a_number_alone_is_no_partial_match(shop: Shop, clients: Clients) -> None:
    await save_drafts(
        shop,
        product_draft("windows", "Windows licence"),
        product_draft("switch", "Network switch 10 ports"),
        product_draft("ten", "10 pencils"),
    )
    guest = clients.guest()

    assert await search_slugs(guest, "windows 10") == ["windows"]
    assert await search_slugs(guest, "doors 10") == []
    assert sorted(await search_slugs(guest, "10")) == ["switch", "ten"]
    assert (await guest.get(FIND, query="windows 10"))["products"]["partialMatch"]
