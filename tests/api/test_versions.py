"""Versions of products, variants, categories and attributes: no change is overwritten unseen."""

import asyncio
from typing import Any

import pytest

from events.shop import Shop
from models import Role
from resolvers.ids import global_id
from tests.api.test_catalog_editing import mutation
from tests.clients import Client, Clients
from tests.factories.catalog import create_attribute, create_category, create_product, variant_of
from tests.given import cny, refusals

Input = dict[str, Any]

EDITS: dict[str, tuple[str, Input]] = {
    "productUpdate": ("product { id }", {"id": "Product", "title": "{}"}),
    "productPublish": ("product { id }", {"id": "Product"}),
    "productArchive": ("product { id }", {"id": "Product"}),
    "variantSave": (
        "variant { id }",
        {"id": "Variant", "productId": "Product", "variant": {"barcode": "{}"}},
    ),
    "variantArchive": ("variant { id }", {"id": "Variant", "productId": "Product"}),
    "priceSet": ("variant { id }", {"variantId": "Variant", "price": "{}"}),
    "priceRemove": ("variant { id }", {"variantId": "Variant", "currency": "CNY"}),
    "categorySave": ("category { id }", {"id": "Category", "name": "{}"}),
    "attributeSave": ("attribute { id }", {"id": "Attribute", "code": "a", "name": "{}", "type": "TEXT"}),
}


@pytest.fixture
async def clerks(clients: Clients) -> list[Client]:
    return [await clients.staff(Role.CATALOGUE) for _ in range(4)]


@pytest.fixture
async def ids(shop: Shop) -> dict[str, str]:
    async with shop.database.writes.begin() as session:
        product = await create_product(session)
        found = {
            "Product": product.id,
            "Variant": (await variant_of(session, product)).id,
            "Category": (await create_category(session)).id,
            "Attribute": (await create_attribute(session, code="a", values=())).id,
        }
    return {kind: global_id(kind, row_id) for kind, row_id in found.items()}


def fill_template(given: Any, ids: dict[str, str], word: str) -> Any:
    if isinstance(given, dict):
        return {name: fill_template(each, ids, word) for name, each in given.items()}
    return ids.get(given, given.format(word))


def edit(name: str, ids: dict[str, str], number: int, version: int | None) -> tuple[str, Input]:
    shown, template = EDITS[name]
    given = fill_template(template, ids, f"Edit {number}")
    if name == "priceSet":
        given["price"] = cny(str(number + 1))
    return mutation(name, shown), given | ({} if version is None else {"version": version})


@pytest.mark.parametrize("name", EDITS)
async def test_of_four_edits_at_once_one_succeeds(
    clerks: list[Client], ids: dict[str, str], name: str
) -> None:
    if name == "productPublish":
        document, given = edit("productArchive", ids, 0, None)
        assert refusals(await clerks[0].do(document, **given)) == []
    version = 1 if name == "productPublish" else 0
    edits = [edit(name, ids, number, version) for number in range(len(clerks))]

    replies = await asyncio.gather(
        *(clerk.do(document, **given) for clerk, (document, given) in zip(clerks, edits, strict=True))
    )

    conflict = [("CONFLICT", "version")]
    assert sorted(refusals(reply) for reply in replies) == [[], conflict, conflict, conflict]


@pytest.mark.parametrize("name", ["variantSave", "categorySave", "attributeSave"])
async def test_an_edit_without_a_version_is_refused(
    clerks: list[Client], ids: dict[str, str], name: str
) -> None:
    document, given = edit(name, ids, 1, None)

    assert refusals(await clerks[0].do(document, **given)) == [("INVALID", "version")]
