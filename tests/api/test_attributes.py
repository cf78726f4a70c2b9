"""Attribute values of products, from a mutation and from a product file."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from models import AttributeType, Product, ProductAttribute
from resolvers.ids import global_id
from tests.api.test_catalog_editing import CREATE, IMPORT, mutation
from tests.clients import Client
from tests.factories.catalog import create_attribute, create_category
from tests.given import refusals

ATTRIBUTES = "attributes { attribute { code } text number boolean date value { code } }"
UPDATE = mutation("productUpdate", f"product {{ version {ATTRIBUTES} }}")
SAVE = mutation("attributeSave", "attribute { code unit type version }")

RIGHT = {
    "colour": ["red", "Blue"],
    "weight": ["1.5 kg"],
    "organic": ["yes"],
    "content": ["100% leaf"],
    "picked": ["2026-03-28"],
}
WRONG = [
    ("colour", ["red", "pink"], 'Colour (colour) cannot be "pink"; allowed: red, blue'),
    (
        "weight",
        ["3 m"],
        'Weight (weight) cannot be "3 m"; allowed: a number below 1,000,000,000 with at most 6 decimals,'
        " in g, mg, kg, t, oz, lb, 斤, 两",
    ),
    ("weight", ["1", "2"], "Weight (weight) has one value, not 2"),
    ("organic", ["perhaps"], 'Organic (organic) cannot be "perhaps"; allowed: true or false'),
    ("content", ["x" * 2_001], "allowed: a text of 1 to 2,000 characters"),
    ("picked", ["2026-02-30"], 'Picked (picked) cannot be "2026-02-30"; allowed: a date such as 2026-03-01'),
]


@pytest.fixture
async def green(shop: Shop) -> str:
    """A category that inherits an attribute of every type."""
    async with shop.database.writes.begin() as session:
        tea = await create_category(session, name="Tea")
        green = await create_category(session, name="Green", parent=tea)
        await create_attribute(session, code="colour", values=("red", "blue"), category=tea)
        await create_attribute(session, code="weight", type=AttributeType.NUMBER, unit="g", category=tea)
        await create_attribute(session, code="organic", type=AttributeType.BOOLEAN, category=tea)
        await create_attribute(session, code="content", type=AttributeType.TEXT, category=tea)
        await create_attribute(session, code="picked", type=AttributeType.DATE, category=tea)
    return global_id("Category", green.id)


def attribute_inputs(given: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [{"code": code, "values": values} for code, values in given.items()]


def product_file(given: dict[str, list[str]]) -> str:
    header = ",".join(f"Attribute / {code}" for code in given)
    cells = ",".join(map("; ".join, given.values()))
    return f"Handle,Title,Product Category,{header}\ntea,Tea,Tea > Green,{cells}\n"


async def stored_values(shop: Shop) -> set[Any]:
    async with shop.database.reads() as session:
        rows = (await session.scalars(select(ProductAttribute))).all()
    return {
        next(v for v in (row.number, row.boolean, row.text, row.date, row.value_id) if v is not None)
        for row in rows
        if row.value_id is None
    }


@pytest.mark.parametrize("way", ["form", "file"])
async def test_values_of_every_type_are_taken_in_any_unit_of_their_kind(
    shop: Shop, clerk: Client, green: str, way: str
) -> None:
    if way == "form":
        done = await clerk.do(CREATE, title="Tea", categoryId=green, attributes=attribute_inputs(RIGHT))
    else:
        done = await clerk.do(IMPORT, content=product_file(RIGHT))
        assert done["result"]["problems"] == []

    assert done["userErrors"] == []
    assert await stored_values(shop) == {Decimal(1500), True, "100% leaf", date(2026, 3, 28)}
    shown = await clerk.get(f'{{ product(slug: "tea") {{ {ATTRIBUTES} }} }}')
    assert [(each["attribute"]["code"], each["text"]) for each in shown["product"]["attributes"]] == [
        ("colour", "Red"),
        ("colour", "Blue"),
        ("content", "100% leaf"),
        ("organic", "yes"),
        ("picked", "2026-03-28"),
        ("weight", "1500 g"),
    ]
    out = await clerk.clients.http.get("/products.csv", headers=clerk.headers)
    again = await clerk.do(IMPORT, content=out.text)
    assert again["result"]["unchanged"] == 1


@pytest.mark.parametrize(("code", "values", "reason"), WRONG)
async def test_a_wrong_value_names_attribute_value_and_what_is_allowed(
    shop: Shop, clerk: Client, green: str, code: str, values: list[str], reason: str
) -> None:
    made = await clerk.do(
        CREATE, title="Tea", categoryId=green, attributes=attribute_inputs(RIGHT | {code: values})
    )
    file = await clerk.do(IMPORT, content=product_file(RIGHT | {code: values}))

    assert refusals(made) == [("INVALID", "attributes")]
    assert reason in made["userErrors"][0]["message"]
    (problem,) = file["result"]["problems"]
    assert (problem["line"], problem["column"]) == (2, f"Attribute / {code}")
    assert reason in problem["reason"]
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Product)) == 0


async def test_a_wrong_value_leaves_a_product_as_it_is(shop: Shop, clerk: Client, green: str) -> None:
    made = await clerk.do(CREATE, title="Tea", categoryId=green, attributes=attribute_inputs(RIGHT))
    before = await stored_values(shop)

    payload = await clerk.do(
        UPDATE,
        id=made["product"]["id"],
        version=1,
        title="New",
        attributes=attribute_inputs({"weight": ["heavy"]}),
    )

    assert refusals(payload) == [("INVALID", "attributes")]
    assert await stored_values(shop) == before
    shown = await clerk.get('{ product(slug: "tea") { title version } }')
    assert shown == {"product": {"title": "Tea", "version": 1}}


async def test_an_attribute_keeps_the_meaning_of_the_values_products_have(
    shop: Shop, clerk: Client, green: str
) -> None:
    await clerk.do(CREATE, title="Tea", categoryId=green, attributes=attribute_inputs(RIGHT))
    found = await clerk.get("{ attributes { id code } }")
    weight = next(each["id"] for each in found["attributes"] if each["code"] == "weight")
    same = {"id": weight, "code": "weight", "name": "Weight", "type": "NUMBER"}

    in_kilograms = await clerk.do(SAVE, **same, version=0, unit="kg")
    in_nothing = await clerk.do(SAVE, **same, version=0)
    as_text = await clerk.do(SAVE, **(same | {"type": "TEXT"}), version=0, unit="g")
    in_digits = await clerk.do(SAVE, **same, version=0, unit="100 g")
    in_grams = await clerk.do(SAVE, **same, version=0, unit="克")

    assert refusals(in_kilograms) == refusals(in_nothing) == [("WRONG_STATE", "unit")]
    assert in_kilograms["userErrors"][0]["message"] == "1 value of products is in g."
    assert refusals(as_text) == [("WRONG_STATE", "type")]
    assert refusals(in_digits) == [("INVALID", "unit")]
    assert in_grams["attribute"] == {"code": "weight", "unit": "克", "type": "NUMBER", "version": 1}
