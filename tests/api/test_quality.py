"""The quality of the catalogue by GraphQL and by `cartwheel quality`."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from domain.quality import QualityReason
from edge.commands.quality import print_quality
from events.shop import Shop
from models import Media, ProductMedia, ProductStatus
from tests.clients import Client
from tests.domain.test_quality import draw_picture
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
from tests.observe import count_statements

ISSUES = """
query ($filter: QualityFilter, $reasons: [QualityReason!], $first: Int! = 20, $after: String) {
  catalogQuality(filter: $filter) {
    score reasons { reason count gain }
    issues(reasons: $reasons, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { product { slug } reason field message other { slug } gain } } } }
"""
PRODUCTS = """
query ($first: Int! = 20, $after: String) { catalogQuality { products(first: $first, after: $after) {
  totalCount pageInfo { endCursor }
  nodes { product { slug } score gain issues { reason field } } } } }
"""
EN = {"en": {"title": "Tea", "description": "Tea"}}


@pytest.fixture
async def catalogue(shop: Shop) -> Shop:
    """One complete product, an incomplete one that sells, one with hardly anything, one archived."""
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


async def test_issues_have_a_reason_and_a_field_and_are_sorted_by_gain(
    catalogue: Shop, clerk: Client
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


async def test_issues_are_filtered_by_reason_and_category_and_paged(catalogue: Shop, clerk: Client) -> None:
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


async def test_the_least_complete_products_come_first(catalogue: Shop, clerk: Client) -> None:
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


async def test_the_catalogue_is_assessed_once_for_each_state_of_it(catalogue: Shop, clerk: Client) -> None:
    with count_statements(catalogue) as first:
        await clerk.get("{ catalogQuality { score } }")
    with count_statements(catalogue) as again:
        await clerk.get("{ catalogQuality { score } }")
    assert (first.total, again.total) == (11, 1)

    async with catalogue.database.writes.begin() as session:
        await create_product(session, slug="new", pictures=0)
    reasons = (await clerk.get(ISSUES, reasons=["PICTURE"]))["catalogQuality"]["issues"]["nodes"]
    assert {each["product"]["slug"] for each in reasons} == {"bare", "new"}


async def test_a_duplicate_names_the_other(shop: Shop, session: AsyncSession, clerk: Client) -> None:
    await create_product(session, slug="first", title="Longjing Green Tea")
    await create_product(session, slug="second", title="longjing green tea")
    await session.commit()

    found = await clerk.get(ISSUES, reasons=["DUPLICATE_TITLE"])

    (issue,) = found["catalogQuality"]["issues"]["nodes"]
    assert (issue["product"], issue["other"], issue["field"]) == (
        {"slug": "second"},
        {"slug": "first"},
        "title",
    )


async def test_pictures_without_a_fingerprint_are_fingerprinted_once(
    shop: Shop, session: AsyncSession
) -> None:
    products = [await create_product(session, title=title, pictures=0) for title in ("Tea", "Pot")]
    for number, (product, data) in enumerate(
        zip(products, (draw_picture(1), draw_picture(1, (150, 150))), strict=True), start=1
    ):
        await shop.media.put(f"{number}.png", data, content_type="image/png")
        media = Media(url=f"/media/{number}.png", alt="", created_at=NOW)
        session.add(media)
        await session.flush()
        session.add(ProductMedia(product_id=product.id, media_id=media.id, position=1))
    session.add(Media(url="/media/lost.png", alt="", created_at=NOW))
    await session.commit()

    assert [await shop.quality.fingerprint_pictures(), await shop.quality.fingerprint_pictures()] == [3, 0]

    issues = (await shop.quality.assess()).issues
    assert [each.reason for each in issues if each.other_id] == ["DUPLICATE_PICTURE"]


async def test_the_exit_code_of_the_command_says_whether_there_are_issues(
    catalogue: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = Console(file=StringIO())

    assert await print_quality(catalogue, limit=2, reasons=None, console=quiet) == 1
    printed = capsys.readouterr().out
    assert [printed.count(f"│ {slug} ") for slug in ("half", "bare", "whole")] == [1, 1, 0]
    assert "3 products, 63 % complete; 7 issues." in printed

    assert await print_quality(catalogue, limit=9, reasons=[QualityReason.UNIT], console=quiet) == 0
    assert "0 issues." in capsys.readouterr().out
