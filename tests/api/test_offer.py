"""Offers: made by clerks, seen and used by customers."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from events.shop import Shop
from models import Offer, Role
from resolvers.ids import global_id
from tests.conftest import OPENING, Clock
from tests.factories.account import create_account
from tests.factories.cart import create_cart, create_coupon
from tests.factories.catalog import create_category, create_product, variant_of
from tests.factories.offer import flash_sale, full_reduction, percent
from tests.factories.order import a_variant, create_order
from tests.front import Front
from tests.observe import statements

SAVE = """mutation($input: OfferSaveInput!) { offerSave(input: $input) {
  offer { id version code title kind percent amount { amount } tiers { minimum { amount } amount { amount } }
    minimum { amount currencyCode } cap { amount } currency usageLimit usageLimitPerBuyer buy get
    variant { sku } flashPrice { amount } share left sharePerBuyer state
    scope { kind categories { name } products { title } variants { sku } brands } exclusionGroups stackable }
  userErrors { code field message } } }"""
ARCHIVE = """mutation($input: OfferArchiveInput!) { offerArchive(input: $input) {
  offer { state version } userErrors { code field } } }"""
LIST = """query($filter: OfferFilter, $first: Int!, $after: String) {
  offers(filter: $filter, first: $first, after: $after) {
  totalCount nodes { title } pageInfo { hasNextPage endCursor } } }"""
USAGE = """query($id: ID!) { offer(id: $id) { usage { orders customers flashUnits saved { amount } } } }"""
NODE = "query($id: ID!) { node(id: $id) { ... on Offer { code } } }"
IN_CART = """{ cart { couponCodes offers { title code applied reason words amount { amount }
  missingAmount { amount } becauseOf { title } offer { usageLimit usage { orders } scope { kind } } } } }"""
APPLY = "mutation($input: CartCouponApplyInput!) { cartCouponApply(input: $input) { userErrors { code } } }"
FLASH = """query($id: ID!) { node(id: $id) { ... on Variant { price { amount }
  flashSale { price { amount } endsAt share left perBuyer } } } }"""

TEN_PERCENT: dict[str, Any] = {"code": "spring-10", "title": "Spring", "kind": "PERCENT", "percent": 10}
STEPS: dict[str, Any] = {
    "title": "满300减40",
    "kind": "FULL_REDUCTION",
    "tiers": [{"minimum": "500", "amount": "80"}, {"minimum": "300", "amount": "40"}],
}


async def count_offers(shop: Shop) -> int | None:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(Offer))


def refusals(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_a_clerk_makes_a_coupon_and_changes_it(front: Front) -> None:
    clerk = await front.staff(Role.CATALOGUE)

    made = (await clerk.do(SAVE, **TEN_PERCENT, minimum="100.00", usageLimit=5))["offer"]
    fixed = {"code": "SPRING", "title": "Spring", "kind": "FIXED", "amount": "20", "currencyCode": "USD"}
    changed = (await clerk.do(SAVE, id=made["id"], version=1, **fixed))["offer"]

    assert (made["code"], made["percent"], made["usageLimit"]) == ("SPRING-10", 10, 5)
    assert made["minimum"] == {"amount": "100.00", "currencyCode": "CNY"}
    assert (changed["id"], changed["version"], changed["code"]) == (made["id"], 2, "SPRING")
    assert (changed["percent"], changed["amount"]) == (None, {"amount": "20.00"})
    assert (changed["minimum"], changed["currency"], changed["usageLimit"]) == (None, "USD", None)


async def test_steps_are_kept_the_lowest_first(front: Front) -> None:
    clerk = await front.staff(Role.CATALOGUE)

    made = (await clerk.do(SAVE, **STEPS))["offer"]

    assert [(step["minimum"]["amount"], step["amount"]["amount"]) for step in made["tiers"]] == [
        ("300.00", "40.00"),
        ("500.00", "80.00"),
    ]
    assert (made["code"], made["currency"], made["state"]) == (None, "CNY", "NOW")


async def test_what_an_offer_is_for_is_named(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        category = await create_category(session, name="Tea")
        product = await create_product(session, title="Oolong", sku="TEA-1")
        variant = await variant_of(session, product)
    clerk = await front.staff(Role.CATALOGUE)

    async def scope(**given: Any) -> Any:
        return (await clerk.do(SAVE, **(TEN_PERCENT | {"code": None}), scope=given))["offer"]["scope"]

    empty: dict[str, Any] = {"categories": [], "products": [], "variants": [], "brands": []}
    by_category = await scope(categoryIds=[global_id("Category", category.id)])
    assert by_category == empty | {"kind": "CATEGORIES", "categories": [{"name": "Tea"}]}
    by_product = await scope(productIds=[global_id("Product", product.id)])
    assert by_product == empty | {"kind": "PRODUCTS", "products": [{"title": "Oolong"}]}
    by_variant = await scope(variantIds=[global_id("Variant", variant.id)])
    assert by_variant == empty | {"kind": "VARIANTS", "variants": [{"sku": "TEA-1"}]}
    assert await scope(brands=["Songguopu"]) == empty | {"kind": "BRANDS", "brands": ["Songguopu"]}


async def test_a_flash_sale_is_made_for_a_variant_and_shown_on_it(
    front: Front, shop: Shop, clock: Clock
) -> None:
    async with shop.database.writes.begin() as session:
        variant = await a_variant(session, sku="TEA-1")
    clerk, ends = await front.staff(Role.CATALOGUE), OPENING + timedelta(hours=2)
    sale = {"variantId": global_id("Variant", variant.id), "price": "49.00", "share": 10, "perBuyer": 2}

    made = (await clerk.do(SAVE, title="Rush", kind="FLASH_SALE", flashSale=sale, endsAt=ends.isoformat()))[
        "offer"
    ]

    assert (made["variant"], made["flashPrice"]) == ({"sku": "TEA-1"}, {"amount": "49.00"})
    assert (made["share"], made["left"], made["sharePerBuyer"]) == (10, 10, 2)
    guest = front.guest()
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
    front: Front, shop: Shop, clock: Clock
) -> None:
    async with shop.database.writes.begin() as session:
        for title, sold, price in (("On sale", 9, 4_900), ("Sold", 10, 4_900), ("Ordinary", 0, None)):
            product = await create_product(session, title=title)
            if price is not None:
                variant = await variant_of(session, product)
                ends = OPENING + timedelta(hours=2)
                await flash_sale(session, variant, price=price, share=10, sold=sold, ends_at=ends)
    found = "{ products(filter: { flashSale: true }) { totalCount nodes { title } } }"
    guest = front.guest()

    assert (await guest.get(found))["products"] == {"totalCount": 1, "nodes": [{"title": "On sale"}]}
    clock.tick(timedelta(hours=2))
    assert (await guest.get(found))["products"] == {"totalCount": 0, "nodes": []}


async def test_flash_sales_of_many_variants_are_one_statement(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variants = [await a_variant(session) for _ in range(5)]
        for variant in variants:
            await flash_sale(session, variant, price=4_900, share=10)
    ids = [global_id("Variant", variant.id) for variant in variants]
    many = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Variant { flashSale { left } } } }"
    guest = front.guest()

    with statements(shop) as few:
        await guest.get(many, ids=ids[:1])
    with statements(shop) as all_:
        shown = await guest.get(many, ids=ids)

    assert shown == {"nodes": [{"flashSale": {"left": 10}}] * 5}
    assert few.total == all_.total


async def test_a_code_is_taken_once_whatever_its_letters(front: Front) -> None:
    manager = await front.staff(Role.MANAGER)
    replies = await asyncio.gather(*(manager.do(SAVE, **TEN_PERCENT) for _ in range(4)))

    assert sorted(map(refusals, replies)) == [[], *[[("TAKEN", ["code"])]] * 3]
    other = (await manager.do(SAVE, **(TEN_PERCENT | {"code": "OTHER"})))["offer"]["id"]
    refused = await manager.do(SAVE, **(TEN_PERCENT | {"code": "Spring-10", "id": other}))
    assert refusals(refused) == [("TAKEN", ["code"])]


async def test_terms_that_make_no_sense_are_refused_by_name(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = global_id("Variant", (await a_variant(session)).id)
    manager = await front.staff(Role.MANAGER)
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
        (rush | {"flashSale": None}, ["amount"]),
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
        ({"id": global_id("Offer", 999_999)}, ["id"]),
        ({"scope": {"categoryIds": [global_id("Category", 999_999)]}}, ["scope", "categoryIds", "0"]),
        ({"scope": {"productIds": [variant]}}, ["scope", "productIds", "0"]),
        (
            rush | {"flashSale": sale | {"variantId": global_id("Variant", 999_999)}},
            ["flashSale", "variantId"],
        ),
    ]
    for change, field in nowhere:
        assert refusals(await manager.do(SAVE, **(TEN_PERCENT | change))) == [("NOT_FOUND", field)], change
    assert await count_offers(shop) == 0


async def test_a_limit_cannot_be_less_than_what_was_used(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        coupon = await create_coupon(session, usage_limit=10, used=7)
    manager = await front.staff(Role.MANAGER)

    payload = await manager.do(SAVE, **TEN_PERCENT, id=global_id("Offer", coupon.id), usageLimit=6)

    assert [error["message"] for error in payload["userErrors"]] == ["It has been used 7 times already."]


async def test_a_limit_that_comes_later_counts_what_was_used_before(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        coupon = await create_coupon(session, code="SPRING")
        await create_order(session, account=account, coupon_code="SPRING")
    manager, customer = await front.staff(Role.MANAGER), await front.customer(account)
    known = {"id": global_id("Offer", coupon.id), "code": "SPRING", "title": "Spring"}

    saved = await manager.do(SAVE, kind="PERCENT", percent=10, **known, usageLimitPerBuyer=1)

    assert saved["userErrors"] == []
    async with shop.database.writes.begin() as session:
        await create_cart(session, account, lines={await a_variant(session): 1})
    assert refusals_of_code(await customer.do(APPLY, code="SPRING")) == ["COUPON_REFUSED"]


def refusals_of_code(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def test_two_clerks_do_not_overwrite_each_other(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.CATALOGUE)
    made = (await clerk.do(SAVE, **TEN_PERCENT))["offer"]
    await clerk.do(SAVE, **(TEN_PERCENT | {"percent": 20}), id=made["id"], version=1)

    late = await clerk.do(SAVE, **(TEN_PERCENT | {"percent": 30}), id=made["id"], version=1)

    assert refusals(late) == [("CONFLICT", ["version"])]
    assert refusals(await clerk.do(ARCHIVE, id=made["id"], version=1)) == [("CONFLICT", ["version"])]
    async with shop.database.reads() as session:
        assert await session.scalar(select(Offer.percent)) == 20


async def test_what_is_archived_is_over_and_its_code_is_free(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.CATALOGUE)
    made = (await clerk.do(SAVE, **TEN_PERCENT))["offer"]

    archived = (await clerk.do(ARCHIVE, id=made["id"], version=1))["offer"]

    assert archived == {"state": "ENDED", "version": 2}
    assert refusals(await clerk.do(ARCHIVE, id=made["id"])) == [("WRONG_STATE", ["id"])]
    assert refusals(await clerk.do(SAVE, **TEN_PERCENT, id=made["id"])) == [("WRONG_STATE", ["id"])]
    assert (await clerk.do(SAVE, **TEN_PERCENT))["userErrors"] == []


async def test_clerks_find_offers_by_kind_state_and_code_the_newest_first(front: Front, shop: Shop) -> None:
    day = timedelta(days=1)
    async with shop.database.writes.begin() as session:
        await percent(session, title="now")
        await percent(session, title="over", ends_at=OPENING)
        await percent(session, title="soon", starts_at=OPENING + day)
        await full_reduction(session, (30_000, 4_000), title="steps", archived_at=OPENING)
        await create_coupon(session, code="SPRING", title="coupon")
    clerk = await front.staff(Role.CATALOGUE)

    async def found(**filter: Any) -> list[str]:
        page = (await clerk.get(LIST, filter=filter, first=10))["offers"]
        titles = [node["title"] for node in page["nodes"]]
        assert page["totalCount"] == len(titles)
        return titles

    assert await found() == ["coupon", "steps", "soon", "over", "now"]
    assert await found(state="NOW") == ["coupon", "now"]
    assert await found(state="UPCOMING") == ["soon"]
    assert await found(state="ENDED") == ["steps", "over"]
    assert await found(kind="FULL_REDUCTION") == ["steps"]
    assert await found(code="spr") == ["coupon"]
    first = (await clerk.get(LIST, first=3))["offers"]
    rest = (await clerk.get(LIST, first=3, after=first["pageInfo"]["endCursor"]))["offers"]
    assert [node["title"] for node in rest["nodes"]] == ["over", "now"]


async def test_usage_is_what_orders_that_stand_have_had(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        coupon = await create_coupon(session, code="SPRING", percent=10)
        account = await create_account(session)
        for _ in range(2):
            await create_order(session, account=account, coupon_code="SPRING")
    clerk = await front.staff(Role.CATALOGUE)

    usage = (await clerk.get(USAGE, id=global_id("Offer", coupon.id)))["offer"]["usage"]

    assert usage == {"orders": 2, "customers": 1, "flashUnits": 0, "saved": [{"amount": "19.80"}]}


async def test_customers_see_what_offers_do_but_not_what_clerks_know(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session))
        await create_cart(session, customer.account, lines={variant: 1})
        coupon = await create_coupon(session, code="SPRING", usage_limit=100, used=99)
        english = {"en": {"title": "40 off from 300"}}
        await full_reduction(session, (30_000, 4_000), title="满300减40", translations=english)
    await customer.do(APPLY, code="spring")

    cart = (await customer.get(IN_CART))["cart"]

    hidden = {"usageLimit": None, "usage": None, "scope": None}
    assert cart["couponCodes"] == ["SPRING"]
    assert cart["offers"] == [
        {
            "title": "Spring sale",
            "code": "SPRING",
            "applied": True,
            "reason": "APPLIED",
            "words": "Coupon SPRING saves 9.90 CNY.",
            "amount": {"amount": "9.90"},
            "missingAmount": None,
            "becauseOf": [],
            "offer": hidden,
        },
        {
            "title": "40 off from 300",
            "code": None,
            "applied": False,
            "reason": "AMOUNT_TOO_SMALL",
            "words": "201.00 CNY more for 40 off from 300.",
            "amount": None,
            "missingAmount": {"amount": "201.00"},
            "becauseOf": [],
            "offer": hidden,
        },
    ]
    assert await customer.get(NODE, id=global_id("Offer", coupon.id)) == {"node": None}
    manager = await front.staff(Role.MANAGER)
    assert await manager.get(NODE, id=global_id("Offer", coupon.id)) == {"node": {"code": "SPRING"}}
