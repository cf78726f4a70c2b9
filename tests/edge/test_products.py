"""Importing and exporting product files over HTTP."""

import codecs
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.limits import VARIANT_LIMIT
from events.shop import Shop
from models import CurrencyCode, Event, Product, Role
from tests.clients import Client, Clients
from tests.factories.catalog import create_attribute, create_category, create_product

FILE_TEXT = """Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty
tea,西湖龙井，明前,T-1,10,5
cup,茶杯,C-1,20,1
"""


async def post_file(client: Client, data: bytes, **query: str) -> httpx.Response:
    return await client.clients.http.post(
        "/products.csv", content=data, headers=client.headers, params=query, timeout=60
    )


async def product_titles(shop: Shop) -> list[str]:
    async with shop.database.reads() as session:
        return list(await session.scalars(select(Product.title).order_by(Product.id)))


@pytest.mark.parametrize(
    ("data", "notes"),
    [
        (FILE_TEXT.encode(), 0),
        (codecs.BOM_UTF8 + FILE_TEXT.encode(), 0),
        (FILE_TEXT.encode("utf-16"), 0),
        (codecs.BOM_UTF16_BE + FILE_TEXT.encode("utf-16-be"), 0),
        (FILE_TEXT.encode("gbk"), 1),
        (FILE_TEXT.encode("gb18030"), 1),
        (FILE_TEXT.replace(",", "\t").encode("utf-16"), 0),
        (FILE_TEXT.replace(",", ";").encode(), 0),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-be", "gbk", "gb18030", "tabs", "semicolons"],
)
async def test_a_file_is_read_however_a_spreadsheet_saved_it(
    shop: Shop, clerk: Client, data: bytes, notes: int
) -> None:
    reply = await post_file(clerk, data)

    found = reply.json()
    notes_found = [(note["line"], note["reason"]) for note in found.pop("notes")]
    assert (reply.status_code, found) == (
        200,
        {"created": 2, "updated": 0, "unchanged": 0, "problems": []},
    )
    assert notes_found == [(1, "not UTF-8: read as GB18030 (GBK)")] * notes
    assert await product_titles(shop) == ["西湖龙井，明前", "茶杯"]


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (FILE_TEXT.encode("gbk")[:-30] + b"\xff\xff\n", 2, "not UTF-8: byte 0xCE; save the file as UTF-8"),
        (
            "Handle,Title\na,Crème brûlée\n".encode("latin-1"),
            2,
            "not UTF-8: byte 0xE8; save the file as UTF-8",
        ),
        (FILE_TEXT.encode("utf-16-le"), 2, "not UTF-8: byte 0x89; save the file as UTF-8"),
        (b"", 1, "the file is empty"),
    ],
    ids=["broken gbk", "latin-1", "utf-16 without its mark", "nothing"],
)
async def test_an_unreadable_file_is_refused_with_its_line_and_byte(
    shop: Shop, clerk: Client, data: bytes, line: int, reason: str
) -> None:
    reply = await post_file(clerk, data)

    assert reply.status_code == 422
    (problem,) = reply.json()["problems"]
    assert (problem["line"], problem["reason"]) == (line, reason)
    assert await product_titles(shop) == []


async def test_a_dry_run_finds_everything_and_changes_nothing(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    await create_attribute(session, code="size", values=("s",))
    await session.commit()
    bad = (
        "Handle,Title,Variant Price,Attribute / size\n"
        f"tea,Tea,-1,\n{'x' * 300},Cup,1,\npot,Pot,1,xxl\nbowl,Bowl,free,\n"
    )

    tried = await post_file(clerk, FILE_TEXT.encode(), dryRun="true")
    refused = await post_file(clerk, bad.encode(), dryRun="true")
    only_wrong_value = await post_file(clerk, b"Handle,Title,Attribute / size\npot,Pot,xxl\n")

    assert tried.json()["created"] == 2
    assert [(each["line"], each["column"], each["reason"]) for each in refused.json()["problems"]] == [
        (2, "Variant Price", '"-1" is negative'),
        (3, "Handle", "has 300 characters; at most 255 are taken"),
        (5, "Variant Price", '"free" is not an amount such as 12.50'),
    ]
    assert only_wrong_value.json()["problems"][0]["reason"] == 'Size (size) cannot be "xxl"; allowed: s'
    assert await product_titles(shop) == []
    assert await session.scalar(select(func.count()).select_from(Event)) == 0
    await session.commit()


async def test_categories_attributes_and_warehouses_a_file_creates_are_noted(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    await create_category(session, name="Tea")
    await create_attribute(session, code="size")
    await create_product(session, stock={"MAIN": 1})
    await session.commit()
    text = (
        "Handle,Title,Product Category,Inventory Qty / NORTH,Attribute / colour\n"
        "green,Green,Tea,1,\nblack,Black,Tee > Black tea,1,dark\n"
    )
    expected = [
        ("Product Category", "categories the shop did not have: Tee, Black tea"),
        ("Attribute", "attributes the shop did not have: colour"),
        ("Inventory Qty", "warehouses the shop did not have: NORTH"),
    ]

    for dry_run in ("true", "false"):
        notes = (await post_file(clerk, text.encode(), dryRun=dry_run)).json()["notes"]
        assert [(note["column"], note["reason"]) for note in notes] == expected
    assert (await post_file(clerk, text.encode())).json()["notes"] == []


async def test_too_many_variants_are_refused_and_scripts_removed(shop: Shop, clerk: Client) -> None:
    rows = "".join(f"tea,,Size,{number},{number}\n" for number in range(10_000))
    many = f"Handle,Title,Option1 Name,Option1 Value,Variant Price\ntea,Tea,,,\n{rows}"
    script = (
        'Handle,Title,Body (HTML)\ncup,<b>Cup</b>,"<p onclick=""x()"">Hot<script>alert(1)</script></p>"\n'
    )

    refused = await post_file(clerk, many.encode())
    taken = await post_file(clerk, script.encode())

    assert [problem["reason"] for problem in refused.json()["problems"]] == [
        f"more than {VARIANT_LIMIT:,} variants"
    ]
    assert taken.json()["created"] == 1
    async with shop.database.reads() as session:
        assert (await session.scalars(select(Product.description))).all() == ["<p>Hot</p>"]


async def test_an_export_can_be_imported_without_a_change(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    rows = "".join(f"p-{number},茶 {number},{number},10\n" for number in range(450))
    taken = await post_file(clerk, f"Handle,Title,Variant SKU,Variant Price\n{rows}".encode())
    await create_product(session, slug="usd", prices={CurrencyCode.USD: 500})
    await session.commit()

    given = await clerk.clients.http.get("/products.csv", headers=clerk.headers)
    again = await post_file(clerk, given.content, dryRun="true")

    assert taken.json()["created"] == 450
    assert given.headers["content-type"] == "text/csv; charset=utf-8"
    assert given.headers["cache-control"] == "no-store"
    assert int(given.headers["content-length"]) == len(given.content)
    assert again.json() == {"created": 0, "updated": 0, "unchanged": 451, "problems": [], "notes": []}


@pytest.mark.parametrize(
    ("role", "query", "status"),
    [
        (None, {}, 401),
        (Role.CUSTOMER, {}, 403),
        (Role.WAREHOUSE, {}, 403),
        (Role.CATALOGUE, {"currency": "XXX"}, 400),
        (Role.CATALOGUE, {"dryRun": "perhaps"}, 400),
    ],
)
async def test_product_files_are_for_catalogue_staff_and_need_valid_parameters(
    shop: Shop, clients: Clients, role: Role | None, query: Mapping[str, Any], status: int
) -> None:
    somebody = await clients.staff(role) if role else clients.guest()

    taken = await post_file(somebody, FILE_TEXT.encode(), **query)
    given = await clients.http.get("/products.csv", headers=somebody.headers, params=query)

    assert taken.status_code == status
    assert given.status_code == (200 if "dryRun" in query else status)
    assert await product_titles(shop) == []
