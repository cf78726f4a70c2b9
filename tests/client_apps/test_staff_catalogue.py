"""The staff desk: stock, catalogue, promotions, analytics, knowledge base and accounts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.client_apps.client_app import ClientApp
from tests.client_apps.conftest import SignIn

PRICE = {"amount": "48.00", "currencyCode": "CNY"}


async def find_tea(desk: ClientApp) -> dict[str, Any]:
    """Return the Longjing tea as the list of products shows it."""
    listed = await desk.read("StaffProducts", query="TEA-LJ-050T", first=1)
    tea: dict[str, Any] = listed["products"]["nodes"][0]
    return tea


async def test_the_warehouse_corrects_stock(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "warehouse")
    warehouses = (await desk.read("StaffWarehouses"))["warehouses"]
    tea = await find_tea(desk)
    variant = (await desk.read("StaffStock", productId=tea["id"]))["product"]["variants"][0]
    level = variant["stock"][0]

    adjusted = await desk.do(
        "StaffStockAdjust",
        variantId=variant["id"],
        warehouseId=level["warehouse"]["id"],
        kind="RECEIVED",
        quantity=10,
        reason="补货",
    )
    movements = (await desk.read("StaffStockMovements", filter={"variantId": variant["id"]}, first=1))[
        "stockMovements"
    ]
    threshold = await desk.do("StaffStockThresholdSet", variantId=variant["id"], units=1_000)
    low = (await desk.read("StaffLowStock", first=100))["lowStock"]["nodes"]

    assert level["warehouse"]["code"] in [each["code"] for each in warehouses]
    assert adjusted["stockLevel"]["onHand"] == level["onHand"] + 10
    assert [(each["kind"], each["onHand"], each["reason"]) for each in movements["nodes"]] == [
        ("RECEIVED", 10, "补货")
    ]
    assert threshold["variant"]["lowStockAt"] == 1_000
    assert variant["id"] in [each["variant"]["id"] for each in low]


async def create_product(desk: ClientApp) -> dict[str, Any]:
    choices = await desk.read("StaffCatalogueChoices")
    tea = next(each for each in choices["categories"] if each["slug"] == "green-tea")
    created = await desk.do(
        "StaffProductCreate",
        title="明前雀舌",
        categoryId=tea["id"],
        variants=[{"sku": "NEW-1", "prices": [{"price": PRICE}], "weightGrams": 120}],
    )
    product: dict[str, Any] = created["product"]
    return product


async def test_a_product_is_created_edited_published_and_archived(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "catalogue")
    product = await create_product(desk)

    described = (
        await desk.do(
            "StaffProductUpdate", id=product["id"], version=product["version"], description="<p>新茶</p>"
        )
    )["product"]
    saved = (
        await desk.do(
            "StaffVariantSave",
            productId=product["id"],
            variant={
                "sku": "NEW-1",
                "prices": [{"price": PRICE}],
                "weightGrams": 150,
            },
            id=product["variants"][0]["id"],
            version=described["version"],
        )
    )["variant"]
    published = (await desk.do("StaffProductPublish", id=product["id"]))["product"]
    archived = (await desk.do("StaffProductArchive", id=product["id"]))["product"]

    assert product["status"] == "DRAFT"
    assert described["description"] == "<p>新茶</p>"
    assert saved["product"]["version"] > described["version"]
    assert (published["status"], archived["status"]) == ("ACTIVE", "ARCHIVED")


async def test_a_price_is_set_and_a_change_scheduled(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "catalogue")
    product = await create_product(desk)
    variant_id = product["variants"][0]["id"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    price = {"amount": "52.00", "currencyCode": "CNY"}

    priced = (await desk.do("StaffPriceSet", variantId=variant_id, version=product["version"], price=price))[
        "variant"
    ]
    change = (
        await desk.do("StaffPriceChangeSchedule", variantId=variant_id, price=PRICE, startsAt=tomorrow)
    )["priceChange"]
    shown = (await desk.read("StaffProduct", id=product["id"]))["product"]["variants"][0]
    cancelled = (await desk.do("StaffPriceChangeCancel", id=change["id"]))["priceChange"]

    assert priced["price"] == price
    assert [each["price"] for each in shown["priceChanges"]] == [PRICE]
    assert (change["status"], cancelled["status"]) == ("SCHEDULED", "CANCELLED")


async def count_products(desk: ClientApp) -> int:
    listed = await desk.read("StaffProducts", query="", filter={"status": ["DRAFT", "ACTIVE"]}, first=1)
    count: int = listed["products"]["totalCount"]
    return count


async def test_a_product_file_is_tried_without_being_imported(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "catalogue")
    content = "Handle,Title,Variant Price\nnew-cup,杯子,12.00\n"
    before = await count_products(desk)

    tried = (await desk.do("StaffProductsImport", content=content, currency="CNY", dryRun=True))["result"]
    quality = (await desk.read("StaffCatalogQuality", first=5))["catalogQuality"]

    assert (tried["created"], tried["problems"]) == (1, [])
    assert await count_products(desk) == before
    assert quality["issues"]["totalCount"] == sum(each["count"] for each in quality["reasons"])


async def test_a_promotion_is_saved_and_archived(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")

    saved = (await desk.do("StaffPromotionSave", title="九折", kind="PERCENT", percent=10, code="TEN"))[
        "promotion"
    ]
    shown = (await desk.read("StaffPromotion", id=saved["id"]))["promotion"]
    archived = (await desk.do("StaffPromotionArchive", id=saved["id"]))["promotion"]
    listed = (await desk.read("StaffPromotions", filter={"code": "TEA20"}, first=5))["promotions"]["nodes"]

    assert (saved["code"], shown["percent"], shown["scope"]["kind"]) == ("TEN", 10, "ALL")
    assert archived["archivedAt"]
    assert [(each["code"], each["kind"]) for each in listed] == [("TEA20", "FIXED")]


async def test_a_manager_reads_the_figures(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")
    today = datetime.now(UTC).date()
    days = {"from": (today - timedelta(days=29)).isoformat(), "to": today.isoformat()}

    report = (await desk.read("StaffReport", **days, interval="WEEK"))["productReport"]
    top = (await desk.read("StaffTopProducts", **days, sort="UNITS", first=3))["productReport"]["products"]
    dead = (await desk.read("StaffDeadStock", **days, unsoldDays=1, first=3))["productReport"]["deadStock"]

    assert [each["stage"] for each in report["funnel"]] == ["VIEWED", "ADDED", "ORDERED", "PAID", "COMPLETED"]
    assert sum(each["figures"]["units"] for each in report["overTime"]) == report["figures"]["units"]
    units = [each["figures"]["units"] for each in top["nodes"]]
    assert units == sorted(units, reverse=True)
    assert dead == {"totalCount": 0, "nodes": []}, "every product of the demo is new"


async def test_a_manager_reads_the_figures_of_tickets_of_eight_weeks(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "manager")
    today = datetime.now(UTC).date()
    days = {"from": (today - timedelta(days=57)).isoformat(), "to": (today + timedelta(days=1)).isoformat()}

    report = (await desk.read("StaffTicketReport", **days))["ticketReport"]
    file = (await desk.read("StaffTicketReportFile", **days, part="WEEKS"))["ticketReport"]["csv"]

    assert report["total"]["opened"] == sum(week["figures"]["opened"] for week in report["weeks"]) > 0
    full = [week["figures"] for week in report["weeks"][1:-1]]
    assert len(full) >= 7
    assert all(week["opened"] and week["firstAnswer"]["median"] for week in full)
    agents = {each["agent"]["name"]: each for each in report["agents"]}
    assert {name: each["resolved"] > 0 for name, each in agents.items()} == dict.fromkeys(
        ("何静", "周岚", "吴桐"), True
    )
    assert (agents["何静"]["reopenRate"], agents["何静"]["averageRating"]) == (0.1875, 3.6)
    assert report["total"]["satisfaction"]["rated"] == 17
    assert {each["reason"] for each in report["reasons"]} >= {"DAMAGED", "QUALITY_FAULT", "NO_REASON"}
    assert report["answers"].startswith("<svg")
    assert len(file.splitlines()) == len(report["weeks"]) + 1


async def test_an_article_is_written_published_and_withdrawn(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "support")

    saved = (
        await desk.do(
            "StaffArticleSave",
            slug="brewing",
            language="zh-CN",
            category="茶",
            title="怎样泡茶",
            body="水温 80 度。",
        )
    )["article"]
    published = (await desk.do("StaffArticlePublish", id=saved["id"]))["article"]
    figures = await desk.read("StaffArticleFigures", days=30, first=10)
    assert figures["articleFigures"] == []
    listed = (await desk.read("StaffArticles", query="怎样泡茶", status="PUBLISHED", first=1))["articles"]
    withdrawn = (await desk.do("StaffArticleWithdraw", id=saved["id"]))["article"]

    assert (saved["status"], published["status"], withdrawn["status"]) == ("DRAFT", "PUBLISHED", "DRAFT")
    assert [each["id"] for each in listed["nodes"]] == [saved["id"]]


async def test_an_administrator_manages_staff_accounts(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "admin")

    created = (
        await desk.do(
            "StaffAccountCreate",
            role="WAREHOUSE",
            name="新同事",
            email="new@example.com",
            password="open sesame 7",
        )
    )["account"]
    disabled = (await desk.do("StaffAccountDisable", id=created["id"]))["account"]
    enabled = (await desk.do("StaffAccountEnable", id=created["id"]))["account"]

    assert (created["name"], created["role"]) == ("新同事", "WAREHOUSE")
    assert disabled["disabledAt"]
    assert enabled["disabledAt"] is None
