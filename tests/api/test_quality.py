"""The quality of the catalogue through the front door: GraphQL, and `cartwheel quality`."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from domain.quality import QualityReason
from edge.quality import print_quality
from events.assessing import assessment, look_at_pictures
from events.shop import Shop
from models import Media, ProductMedia, ProductStatus, Role
from tests.domain.test_quality import drawn
from tests.factories.catalog import (
    NOW,
    create_attribute,
    create_category,
    create_product,
    create_variant,
    give_attribute,
    variant_of,
)
from tests.factories.order import create_order
from tests.front import Client, Front
from tests.observe import statements

ISSUES = """
query ($filter: QualityFilter, $reasons: [QualityReason!], $first: Int! = 20, $after: String) {
  catalogQuality(filter: $filter) {
    score reasons { reason count gain }
    issues(reasons: $reasons, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { product { slug } reason field words other { slug } gain } } } }
"""
PRODUCTS = """
query ($first: Int! = 20, $after: String) { catalogQuality { products(first: $first, after: $after) {
  totalCount pageInfo { endCursor }
  nodes { product { slug } score gain issues { reason field } } } } }
"""
EN = {"en": {"title": "Tea", "description": "Tea"}}


@pytest.fixture
async def clerk(front: Front) -> Client:
    return await front.staff(Role.CATALOGUE)


@pytest.fixture
async def shelf(shop: Shop) -> Shop:
    """One whole product, one in pieces that sells, one bare, one that is gone."""
    async with shop.database.writes.begin() as session:
        food = await create_category(session, slug="food")
        tea = await create_category(session, slug="tea", parent=food)
        colour = await create_attribute(session, category=food, required=True)
        whole = await create_product(session, slug="whole", title="Longjing", category=tea, translations=EN)
        await give_attribute(session, whole, colour, "red")
        half = await create_product(session, slug="half", title="Oolong", category=tea, weight_grams=0)
        await create_order(session, lines=[(await variant_of(session, half), 1)])
        bare = await create_product(
            session, slug="bare", title="Pot", description="", pictures=0, translations=EN, stock={}
        )
        await create_variant(session, bare, prices={}, stock={}, options={"Size": "M"})
        await create_product(session, slug="gone", status=ProductStatus.ARCHIVED, pictures=0)
    return shop


async def test_issues_say_why_where_and_come_in_the_order_of_what_they_bring(
    shelf: Shop, clerk: Client
) -> None:
    found = (await clerk.get(ISSUES))["catalogQuality"]
    issues = found["issues"]["nodes"]

    assert [(each["product"]["slug"], each["reason"], each["field"]) for each in issues][:2] == [
        ("half", "ATTRIBUTE", "attributes.colour"),
        ("bare", "PRICE", issues[1]["field"]),
    ]
    assert {(each["product"]["slug"], each["reason"]) for each in issues} == {
        ("half", "ATTRIBUTE"),
        ("half", "TRANSLATION"),
        ("half", "WEIGHT"),
        ("bare", "PRICE"),
        ("bare", "PICTURE"),
        ("bare", "CATEGORY"),
        ("bare", "DESCRIPTION"),
    }
    assert [each["gain"] for each in issues] == sorted((each["gain"] for each in issues), reverse=True)
    assert found["score"] == 63
    assert {row["reason"]: row["count"] for row in found["reasons"]} == {each["reason"]: 1 for each in issues}


async def test_issues_are_asked_by_reason_by_category_and_by_page(shelf: Shop, clerk: Client) -> None:
    async def slugs(**given: Any) -> list[tuple[str, str]]:
        found = (await clerk.get(ISSUES, **given))["catalogQuality"]["issues"]["nodes"]
        return [(each["product"]["slug"], each["reason"]) for each in found]

    assert await slugs(reasons=["PRICE", "WEIGHT"]) == [("bare", "PRICE"), ("half", "WEIGHT")]
    assert {slug for slug, _ in await slugs(filter={"category": "food"})} == {"half"}
    everything = await slugs()
    seen: list[tuple[str, str]] = []
    after = None
    for _ in range(4):
        page = (await clerk.get(ISSUES, first=2, after=after))["catalogQuality"]["issues"]
        seen += [(each["product"]["slug"], each["reason"]) for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["totalCount"] == 7
    assert after is not None
    assert seen == everything

    for wrong, code in (
        ({"first": 0}, "INVALID"),
        ({"after": "x"}, "INVALID"),
        ({"filter": {"category": "nowhere"}}, "NOT_FOUND"),
    ):
        reply = await clerk.ask(ISSUES, **wrong)
        assert reply["errors"][0]["extensions"]["code"] == code


async def test_the_least_complete_products_come_first(shelf: Shop, clerk: Client) -> None:
    page = (await clerk.get(PRODUCTS, first=2))["catalogQuality"]["products"]

    assert page["totalCount"] == 3
    assert [(each["product"]["slug"], each["score"]) for each in page["nodes"]] == [
        ("bare", 33),
        ("half", 57),
    ]
    rest = await clerk.get(PRODUCTS, after=page["pageInfo"]["endCursor"])
    assert rest["catalogQuality"]["products"]["nodes"] == [
        {"product": {"slug": "whole"}, "score": 100, "gain": 0, "issues": []}
    ]


async def test_the_catalogue_is_looked_through_once_for_each_state_of_it(shelf: Shop, clerk: Client) -> None:
    with statements(shelf) as first:
        await clerk.get("{ catalogQuality { score } }")
    with statements(shelf) as again:
        await clerk.get("{ catalogQuality { score } }")
    assert (first.total, again.total) == (11, 1)

    async with shelf.database.writes.begin() as session:
        await create_product(session, slug="new", pictures=0)
    reasons = (await clerk.get(ISSUES, reasons=["PICTURE"]))["catalogQuality"]["issues"]["nodes"]
    assert {each["product"]["slug"] for each in reasons} == {"bare", "new"}


async def test_a_duplicate_names_the_other(shop: Shop, clerk: Client) -> None:
    async with shop.database.writes.begin() as session:
        await create_product(session, slug="first", title="Longjing Green Tea")
        await create_product(session, slug="second", title="longjing green tea")

    found = await clerk.get(ISSUES, reasons=["DUPLICATE_TITLE"])

    (issue,) = found["catalogQuality"]["issues"]["nodes"]
    assert (issue["product"], issue["other"], issue["field"]) == (
        {"slug": "second"},
        {"slug": "first"},
        "title",
    )


async def test_pictures_that_came_before_fingerprints_are_looked_at_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        products = [await create_product(session, title=title, pictures=0) for title in ("Tea", "Pot")]
        for number, (product, data) in enumerate(
            zip(products, (drawn(1), drawn(1, (150, 150))), strict=True), start=1
        ):
            await shop.media.put(f"{number}.png", data, content_type="image/png")
            media = Media(url=f"/media/{number}.png", alt="", created_at=NOW)
            session.add(media)
            await session.flush()
            session.add(ProductMedia(product_id=product.id, media_id=media.id, position=1))
        session.add(Media(url="/media/lost.png", alt="", created_at=NOW))

    assert [await look_at_pictures(shop), await look_at_pictures(shop)] == [3, 0]

    issues = (await assessment(shop)).issues
    assert [each.reason for each in issues if each.other_id] == ["DUPLICATE_PICTURE"]


async def test_the_command_prints_and_its_exit_code_says_whether_there_is_something(
    shelf: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = Console(file=StringIO())

    assert await print_quality(shelf, limit=2, reasons=None, console=quiet) == 1
    printed = capsys.readouterr().out
    assert [printed.count(f"│ {slug} ") for slug in ("half", "bare", "whole")] == [1, 1, 0]
    assert "3 products, 63 % complete; 7 things to put right." in printed

    assert await print_quality(shelf, limit=9, reasons=[QualityReason.UNIT], console=quiet) == 0
    assert "0 things to put right." in capsys.readouterr().out
