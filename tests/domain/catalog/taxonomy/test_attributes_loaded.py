"""Attributes and values of an edition, beside those that clerks have made."""

from sqlalchemy import func, select, update

from domain.catalog.taxonomy import AttributeDraft, save_attribute
from domain.catalog.taxonomy.standard import TaxonomyLoadResult, WriteCount, read_taxonomy
from models import Attribute, AttributeType, AttributeValue, Category, CategoryAttribute
from models.database import Database
from tests.domain.catalog.taxonomy.loading import find_category, load_edition
from tests.factories.catalog import create_attribute
from tests.factories.taxonomy import edition_files, link_file


async def test_attributes_list_their_values_in_order(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files()))

    async with database.reads() as session:
        (colour, _) = (await session.scalars(select(Attribute).order_by(Attribute.taxonomy_id))).all()
        values = await session.scalars(
            select(AttributeValue)
            .where(AttributeValue.attribute_id == colour.id)
            .order_by(AttributeValue.position)
        )
        rows = [(value.position, value.code, value.name, value.translations) for value in values]
    assert (colour.code, colour.name, colour.type, colour.filterable, colour.translations) == (
        "colour",
        "颜色",
        AttributeType.ENUM,
        True,
        {"en": {"name": "Colour"}},
    )
    assert rows == [
        (1, "red", "红色", {"en": {"name": "Red"}}),
        (2, "blue", "蓝色", {"en": {"name": "Blue"}}),
    ]


async def test_an_attribute_of_the_shop_keeps_its_code(database: Database) -> None:
    async with database.writes.begin() as session:
        own = await create_attribute(session, code="colour", values=("pink",))

    await load_edition(database, read_taxonomy(edition_files()))

    async with database.reads() as session:
        rows = await session.execute(select(Attribute.code, Attribute.taxonomy_id).order_by(Attribute.id))
        values = await session.scalars(
            select(AttributeValue.code).where(AttributeValue.attribute_id == own.id)
        )
        assert [tuple(row) for row in rows] == [("colour", None), ("colour-1", "1"), ("fabric", "2")]
        assert values.all() == ["pink"]


async def test_what_staff_have_added_stays(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files()))
    async with database.writes.begin() as session:
        tea = (await session.scalars(select(Category).where(Category.taxonomy_id == "fb-1"))).one()
        tea.translations = tea.translations | {"ja": {"name": "お茶"}}
        colour_row = (await session.scalars(select(Attribute).where(Attribute.code == "colour"))).one()
        colour_row.filterable = False
        session.add(
            AttributeValue(attribute_id=colour_row.id, code="pink", name="粉色", position=3, translations={})
        )

    loaded = await load_edition(database, read_taxonomy(edition_files()))

    assert loaded == TaxonomyLoadResult(
        WriteCount(0, 0, 7), WriteCount(0, 0, 2), WriteCount(0, 0, 3), attached=0
    )
    assert (await find_category(database, "fb-1")).translations == {
        "en": {"name": "Tea"},
        "ja": {"name": "お茶"},
    }
    async with database.reads() as session:
        assert await session.scalar(select(func.count()).where(AttributeValue.code == "pink")) == 1
        assert await session.scalar(select(Attribute.filterable).where(Attribute.code == "colour")) is False


async def test_an_attribute_that_staff_made_a_number_gets_no_values(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files()))
    async with database.writes.begin() as session:
        row = (await session.scalars(select(Attribute).where(Attribute.code == "fabric"))).one()
        await save_attribute(
            session,
            AttributeDraft(code="fabric", name="克重", type=AttributeType.NUMBER, unit="克"),
            attribute_id=row.id,
        )

    loaded = await load_edition(database, read_taxonomy(edition_files()))

    assert loaded.values == WriteCount(0, 0, 2)
    async with database.reads() as session:
        assert await session.scalar(select(func.count()).where(AttributeValue.attribute_id == row.id)) == 0


async def test_attributes_are_attached_once_and_never_detached(database: Database) -> None:
    await load_edition(database, read_taxonomy(edition_files(links=link_file(aa=[1], aa_1=[1, 2]))))
    async with database.writes.begin() as session:
        await session.execute(update(CategoryAttribute).values(required=True))

    loaded = await load_edition(database, read_taxonomy(edition_files(links=link_file(aa=[1], fb=[2]))))

    assert loaded.attached == 1
    async with database.reads() as session:
        rows = await session.execute(
            select(Category.taxonomy_id, Attribute.code, CategoryAttribute.required)
            .join(Category, Category.id == CategoryAttribute.category_id)
            .join(Attribute, Attribute.id == CategoryAttribute.attribute_id)
            .order_by(Category.taxonomy_id)
        )
        assert [tuple(row) for row in rows] == [
            ("aa", "colour", True),
            ("aa-1", "fabric", True),
            ("fb", "fabric", False),
        ]
