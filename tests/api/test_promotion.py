"""Promotions: edited by staff, shown to and used by customers."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Promotion, Role
from resolvers.ids import global_id
from tests.clients import Clients
from tests.conftest import STARTED_AT, Clock
from tests.factories.account import create_account
from tests.factories.cart import create_cart, create_coupon
from tests.factories.catalog import create_category, create_product, variant_of
from tests.factories.order import a_variant, create_order
from tests.factories.promotion import create_flash_sale, create_full_reduction, create_percent
from tests.observe import count_statements

SAVE = """mutation($input: PromotionSaveInput!) { promotionSave(input: $input) {
  promotion { id version code title kind percent amount { amount }
    tiers { minimum { amount } amount { amount } } minimum { amount currencyCode } cap { amount }
    currency usageLimit usageLimitPerBuyer buy get
    variant { sku } flashPrice { amount } share left sharePerBuyer status
    scope { kind categories { name } products { title } variants { sku } brands } exclusionGroups stackable }
  userErrors { code field message } } }"""
ARCHIVE = """mutation($input: PromotionArchiveInput!) { promotionArchive(input: $input) {
  promotion { status version } userErrors { code field } } }"""
LIST = """query($filter: PromotionFilter, $first: Int!, $after: String) {
  promotions(filter: $filter, first: $first, after: $after) {
  totalCount nodes { title } pageInfo { hasNextPage endCursor } } }"""
USAGE = (
    """query($id: ID!) { promotion(id: $id) { usage { orders customers flashUnits saved { amount } } } }"""
)
NODE = "query($id: ID!) { node(id: $id) { ... on Promotion { code } } }"
IN_CART = """{ cart { couponCodes promotions { title code applied reason message amount { amount }
  missingAmount { amount } becauseOf { title }
  promotion { usageLimit usage { orders } scope { kind } } } } }"""
APPLY = "mutation($input: CartCouponApplyInput!) { cartCouponApply(input: $input) { userErrors { code } } }"
FLASH = """query($id: ID!) { node(id: $id) { ... on Variant { price { amount }
  flashSale { price { amount } endsAt share left perBuyer } } } }"""

TEN_PERCENT: dict[str, Any] = {"code": "spring-10", "title": "Spring", "kind": "PERCENT", "percent": 10}
STEPS: dict[str, Any] = {
    "title": "满300减40",
    "kind": "FULL_REDUCTION",
    "tiers": [{"minimum": "500", "amount": "80"}, {"minimum": "300", "amount": "40"}],
}


async def count_promotions(shop: Shop) -> int | None:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(Promotion))


def refusals(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_staff_create_a_coupon_and_change_it(clients: Clients) -> None:
    clerk = await clients.staff(Role.CATALOGUE)

    made = (await clerk.do(SAVE, **TEN_PERCENT, minimum="100.00", usageLimit=5))["promotion"]
    fixed = {"code": "SPRING", "title": "Spring", "kind": "FIXED", "amount": "20", "currencyCode": "USD"}
    changed = (await clerk.do(SAVE, id=made["id"], version=1, **fixed))["promotion"]

    assert (made["code"], made["percent"], made["usageLimit"]) == ("SPRING-10", 10, 5)
    assert made["minimum"] == {"amount": "100.00", "currencyCode": "CNY"}
    assert (changed["id"], changed["version"], changed["code"]) == (made["id"], 2, "SPRING")
    assert (changed["percent"], changed["amount"]) == (None, {"amount": "20.00"})
    assert (changed["minimum"], changed["currency"], changed["usageLimit"]) == (None, "USD", None)


async def test_tiers_are_stored_the_lowest_first(clients: Clients) -> None:
    clerk = await clients.staff(Role.CATALOGUE)

    made = (await clerk.do(SAVE, **STEPS))["promotion"]

    assert [(step["minimum"]["amount"], step["amount"]["amount"]) for step in made["tiers"]] == [
        ("300.00", "40.00"),
        ("500.00", "80.00"),
    ]
    assert (made["code"], made["currency"], made["status"]) == (None, "CNY", "ACTIVE")


async def test_the_scope_of_a_promotion_lists_its_items(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    category = await create_category(session, name="Tea")
    product = await create_product(session, title="Oolong", sku="TEA-1")
    variant = await variant_of(session, product)
    await session.commit()
    clerk = await clients.staff(Role.CATALOGUE)

    async def scope(**given: Any) -> Any:
        return (await clerk.do(SAVE, **(TEN_PERCENT | {"code": None}), scope=given))["promotion"]["scope"]

    empty: dict[str, Any] = {"categories": [], "products": [], "variants": [], "brands": []}
    by_category = await scope(categoryIds=[global_id("Category", category.id)])
    assert by_category == empty | {"kind": "CATEGORIES", "categories": [{"name": "Tea"}]}
    by_product = await scope(productIds=[global_id("Product", product.id)])
    assert by_product == empty | {"kind": "PRODUCTS", "products": [{"title": "Oolong"}]}
    by_variant = await scope(variantIds=[global_id("Variant", variant.id)])
    assert by_variant == empty | {"kind": "VARIANTS", "variants": [{"sku": "TEA-1"}]}
    assert await scope(brands=["Songguopu"]) == empty | {"kind": "BRANDS", "brands": ["Songguopu"]}


async def test_a_flash_sale_is_created_for_a_variant_and_shown_on_it(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    variant = await a_variant(session, sku="TEA-1")
    await session.commit()
    clerk, ends = await clients.staff(Role.CATALOGUE), STARTED_AT + timedelta(hours=2)
    sale = {"variantId": global_id("Variant", variant.id), "price": "49.00", "share": 10, "perBuyer": 2}

    made = (await clerk.do(SAVE, title="Rush", kind="FLASH_SALE", flashSale=sale, endsAt=ends.isoformat()))[
        "promotion"
    ]

    assert (made["variant"], made["flashPrice"]) == ({"sku": "TEA-1"}, {"amount": "49.00"})
    assert (made["share"], made["left"], made["sharePerBuyer"]) == (10, 10, 2)
    guest = clients.guest()
    shown = (await guest.get(FLASH, id=sale["variantId"]))["node"]
    assert shown["price"] == {"amount": "99.00"}
    assert shown["flashSale"] | {"endsAt": None} == {
        "price": {"amount": "49.00"},
        "endsAt": None,
        "share": 10,
        "left": 10,
        "perBuyer": 2,
    }
    clock.tick(timedelta(hours=2))
    assert (await guest.get(FLASH, id=sale["variantId"]))["node"]["flashSale"] is None


async def test_products_in_a_flash_sale_are_found_while_it_lasts(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    for title, sold, price in (("On sale", 9, 4_900), ("Sold", 10, 4_900), ("Ordinary", 0, None)):
        product = await create_product(session, title=title)
        if price is not None:
            variant = await variant_of(session, product)
            ends = STARTED_AT + timedelta(hours=2)
            await create_flash_sale(session, variant, price=price, share=10, sold=sold, ends_at=ends)
    await session.commit()
    found = "{ products(filter: { flashSale: true }) { totalCount nodes { title } } }"
    guest = clients.guest()

    assert (await guest.get(found))["products"] == {"totalCount": 1, "nodes": [{"title": "On sale"}]}
    clock.tick(timedelta(hours=2))
    assert (await guest.get(found))["products"] == {"totalCount": 0, "nodes": []}


async def test_flash_sales_of_many_variants_are_one_statement(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variants = [await a_variant(session) for _ in range(5)]
    for variant in variants:
        await create_flash_sale(session, variant, price=4_900, share=10)
    await session.commit()
    ids = [global_id("Variant", variant.id) for variant in variants]
    many = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Variant { flashSale { left } } } }"
    guest = clients.guest()

    with count_statements(shop) as few:
        await guest.get(many, ids=ids[:1])
    with count_statements(shop) as all_:
        shown = await guest.get(many, ids=ids)

    assert shown == {"nodes": [{"flashSale": {"left": 10}}] * 5}
    assert few.total == all_.total


async def test_a_code_is_unique_whatever_the_case_of_its_letters(clients: Clients) -> None:
    manager = await clients.staff(Role.MANAGER)
    replies = await asyncio.gather(*(manager.do(SAVE, **TEN_PERCENT) for _ in range(4)))

    assert sorted(map(refusals, replies)) == [[], *[[("TAKEN", ["code"])]] * 3]
    other = (await manager.do(SAVE, **(TEN_PERCENT | {"code": "OTHER"})))["promotion"]["id"]
    refused = await manager.do(SAVE, **(TEN_PERCENT | {"code": "Spring-10", "id": other}))
    assert refusals(refused) == [("TAKEN", ["code"])]


async def test_invalid_terms_are_refused_with_the_name_of_the_field(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant = global_id("Variant", (await a_variant(session)).id)
    await session.commit()
    manager = await clients.staff(Role.MANAGER)
    fixed = {"kind": "FIXED", "percent": None, "amount": "5"}
    gifts = {"kind": "BUY_N_GET_M", "percent": None, "buy": 2, "get": 1}
    steps = {"percent": None} | STEPS
    sale = {"variantId": variant, "price": "49", "share": 5}
    rush = {"kind": "FLASH_SALE", "percent": None, "endsAt": "2026-12-01T00:00:00Z", "flashSale": sale}
    wrong: list[tuple[dict[str, Any], list[str]]] = [
        ({"code": "a"}, ["code"]),
        ({"code": "春天春天"}, ["code"]),
        ({"title": " "}, ["title"]),
        ({"title": "a\u0007b"}, ["title"]),
        ({"title": "x" * 201}, ["title"]),
        ({"translations": [{"language": "no tag", "title": "x"}]}, ["translations"]),
        ({"percent": None}, ["percent"]),
        ({"percent": 0}, ["percent"]),
        ({"percent": 101}, ["percent"]),
        ({"amount": "5"}, ["amount"]),
        (fixed | {"percent": 5}, ["percent"]),
        (fixed | {"amount": None}, ["amount"]),
        (fixed | {"amount": "0"}, ["amount"]),
        (fixed | {"amount": "1.001"}, ["amount"]),
        (fixed | {"amount": "1E99"}, ["amount"]),
        (gifts | {"get": 0}, ["get"]),
        (gifts | {"buy": None}, ["buy"]),
        (steps | {"tiers": []}, ["tiers"]),
        (steps | {"tiers": [{"minimum": "5", "amount": "6"}]}, ["tiers", "0", "amount"]),
        (steps | {"tiers": [{"minimum": "9", "amount": "6"}] * 2}, ["tiers", "1", "minimum"]),
        (rush | {"endsAt": None}, ["endsAt"]),
        (rush | {"flashSale": None}, ["flashSale"]),
        (rush | {"flashSale": sale | {"price": "99"}}, ["flashSale", "price"]),
        (rush | {"flashSale": sale | {"share": 0}}, ["flashSale", "share"]),
        (rush | {"flashSale": sale, "currencyCode": "HKD"}, ["flashSale", "variantId"]),
        ({"scope": {}}, ["scope"]),
        ({"scope": {"brands": ["A"], "variantIds": [variant]}}, ["scope"]),
        ({"scope": {"brands": [" "]}}, ["scope", "brands", "0"]),
        ({"minimum": "-1"}, ["minimum"]),
        ({"cap": "0"}, ["cap"]),
        ({"usageLimit": 0}, ["usageLimit"]),
        ({"usageLimitPerBuyer": 0}, ["usageLimitPerBuyer"]),
        ({"priority": 10_000}, ["priority"]),
        ({"exclusionGroups": [""]}, ["exclusionGroups", "0"]),
        ({"startsAt": "2026-11-12T00:00:00Z", "endsAt": "2026-11-12T00:00:00Z"}, ["endsAt"]),
    ]
    for change, field in wrong:
        payload = await manager.do(SAVE, **(TEN_PERCENT | change))
        assert refusals(payload) == [("INVALID", field)], change
    nowhere: list[tuple[dict[str, Any], list[str]]] = [
        ({"id": global_id("Promotion", 999_999)}, ["id"]),
        ({"scope": {"categoryIds": [global_id("Category", 999_999)]}}, ["scope", "categoryIds", "0"]),
        ({"scope": {"productIds": [variant]}}, ["scope", "productIds", "0"]),
        (
            rush | {"flashSale": sale | {"variantId": global_id("Variant", 999_999)}},
            ["flashSale", "variantId"],
        ),
    ]
    for change, field in nowhere:
        assert refusals(await manager.do(SAVE, **(TEN_PERCENT | change))) == [("NOT_FOUND", field)], change
    assert await count_promotions(shop) == 0


async def test_a_limit_cannot_be_less_than_what_was_used(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    coupon = await create_coupon(session, usage_limit=10, used=7)
    await session.commit()
    manager = await clients.staff(Role.MANAGER)

    payload = await manager.do(SAVE, **TEN_PERCENT, id=global_id("Promotion", coupon.id), usageLimit=6)

    assert [error["message"] for error in payload["userErrors"]] == ["It has been used 7 times already."]


async def test_a_limit_added_later_counts_what_was_used_before(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session)
    coupon = await create_coupon(session, code="SPRING")
    await create_order(session, account=account, coupon_code="SPRING")
    await session.commit()
    manager, customer = await clients.staff(Role.MANAGER), await clients.customer(account)
    known = {"id": global_id("Promotion", coupon.id), "code": "SPRING", "title": "Spring"}

    saved = await manager.do(SAVE, kind="PERCENT", percent=10, **known, usageLimitPerBuyer=1)

    assert saved["userErrors"] == []
    await create_cart(session, account, lines={await a_variant(session): 1})
    await session.commit()
    assert refusals_of_code(await customer.do(APPLY, code="SPRING")) == ["COUPON_REFUSED"]


def refusals_of_code(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def test_a_change_based_on_an_old_version_is_refused(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.CATALOGUE)
    made = (await clerk.do(SAVE, **TEN_PERCENT))["promotion"]
    await clerk.do(SAVE, **(TEN_PERCENT | {"percent": 20}), id=made["id"], version=1)

    late = await clerk.do(SAVE, **(TEN_PERCENT | {"percent": 30}), id=made["id"], version=1)

    assert refusals(late) == [("CONFLICT", ["version"])]
    assert refusals(await clerk.do(ARCHIVE, id=made["id"], version=1)) == [("CONFLICT", ["version"])]
    async with shop.database.reads() as session:
        assert await session.scalar(select(Promotion.percent)) == 20


async def test_an_archived_promotion_has_ended_and_its_code_is_free(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.CATALOGUE)
    made = (await clerk.do(SAVE, **TEN_PERCENT))["promotion"]

    archived = (await clerk.do(ARCHIVE, id=made["id"], version=1))["promotion"]

    assert archived == {"status": "ENDED", "version": 2}
    assert refusals(await clerk.do(ARCHIVE, id=made["id"])) == [("WRONG_STATE", ["id"])]
    assert refusals(await clerk.do(SAVE, **TEN_PERCENT, id=made["id"])) == [("WRONG_STATE", ["id"])]
    assert (await clerk.do(SAVE, **TEN_PERCENT))["userErrors"] == []


async def test_staff_find_promotions_by_kind_status_and_code_the_newest_first(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    day = timedelta(days=1)
    await create_percent(session, title="now")
    await create_percent(session, title="over", ends_at=STARTED_AT)
    await create_percent(session, title="soon", starts_at=STARTED_AT + day)
    await create_full_reduction(session, (30_000, 4_000), title="steps", archived_at=STARTED_AT)
    await create_coupon(session, code="SPRING", title="coupon")
    await session.commit()
    clerk = await clients.staff(Role.CATALOGUE)

    async def found(**filter: Any) -> list[str]:
        page = (await clerk.get(LIST, filter=filter, first=10))["promotions"]
        titles = [node["title"] for node in page["nodes"]]
        assert page["totalCount"] == len(titles)
        return titles

    assert await found() == ["coupon", "steps", "soon", "over", "now"]
    assert await found(status="ACTIVE") == ["coupon", "now"]
    assert await found(status="SCHEDULED") == ["soon"]
    assert await found(status="ENDED") == ["steps", "over"]
    assert await found(kind="FULL_REDUCTION") == ["steps"]
    assert await found(code="spr") == ["coupon"]
    first = (await clerk.get(LIST, first=3))["promotions"]
    rest = (await clerk.get(LIST, first=3, after=first["pageInfo"]["endCursor"]))["promotions"]
    assert [node["title"] for node in rest["nodes"]] == ["over", "now"]


async def test_usage_counts_orders_that_were_not_cancelled(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    coupon = await create_coupon(session, code="SPRING", percent=10)
    account = await create_account(session)
    for _ in range(2):
        await create_order(session, account=account, coupon_code="SPRING")
    await session.commit()
    clerk = await clients.staff(Role.CATALOGUE)

    usage = (await clerk.get(USAGE, id=global_id("Promotion", coupon.id)))["promotion"]["usage"]

    assert usage == {"orders": 2, "customers": 1, "flashUnits": 0, "saved": [{"amount": "19.80"}]}


async def test_customers_see_what_promotions_do_but_not_what_only_staff_may_see(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    variant = await variant_of(session, await create_product(session))
    await create_cart(session, customer.account, lines={variant: 1})
    coupon = await create_coupon(session, code="SPRING", usage_limit=100, used=99)
    english = {"en": {"title": "40 off from 300"}}
    await create_full_reduction(session, (30_000, 4_000), title="满300减40", translations=english)
    await session.commit()
    await customer.do(APPLY, code="spring")

    cart = (await customer.get(IN_CART))["cart"]

    hidden = {"usageLimit": None, "usage": None, "scope": None}
    assert cart["couponCodes"] == ["SPRING"]
    assert cart["promotions"] == [
        {
            "title": "Spring sale",
            "code": "SPRING",
            "applied": True,
            "reason": "APPLIED",
            "message": "Coupon SPRING saves 9.90 CNY.",
            "amount": {"amount": "9.90"},
            "missingAmount": None,
            "becauseOf": [],
            "promotion": hidden,
        },
        {
            "title": "40 off from 300",
            "code": None,
            "applied": False,
            "reason": "AMOUNT_TOO_SMALL",
            "message": "201.00 CNY more for 40 off from 300.",
            "amount": None,
            "missingAmount": {"amount": "201.00"},
            "becauseOf": [],
            "promotion": hidden,
        },
    ]
    assert await customer.get(NODE, id=global_id("Promotion", coupon.id)) == {"node": None}
    manager = await clients.staff(Role.MANAGER)
    assert await manager.get(NODE, id=global_id("Promotion", coupon.id)) == {"node": {"code": "SPRING"}}
