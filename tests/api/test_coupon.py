"""Coupons: made by clerks, used by customers."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from domain.coupon import give_back_coupon, use_coupon
from domain.pricing import CouponRefused
from events.shop import Shop
from models import Coupon, Role
from resolvers.ids import global_id
from tests.conftest import Clock
from tests.factories.cart import create_cart, create_coupon
from tests.factories.catalog import create_product, variant_of
from tests.front import Front

SAVE = """mutation($input: CouponSaveInput!) { couponSave(input: $input) {
  coupon { id code title type percent amount { amount } minimum { amount currencyCode } usageLimit used }
  userErrors { code field message } } }"""
LIST = """query($first: Int!, $after: String) { coupons(first: $first, after: $after) {
  totalCount nodes { code } pageInfo { hasNextPage endCursor } } }"""
NODE = "query($id: ID!) { node(id: $id) { ... on Coupon { code used } } }"
IN_CART = "{ cart { coupon { code title usageLimit used } } }"
APPLY = "mutation($input: CartCouponApplyInput!) { cartCouponApply(input: $input) { userErrors { code } } }"

TEN_PERCENT: dict[str, Any] = {"code": "spring-10", "title": "Spring", "type": "PERCENT", "percent": 10}


async def uses(shop: Shop, coupon_id: int) -> int | None:
    async with shop.database.reads() as session:
        return await session.scalar(select(Coupon.used).where(Coupon.id == coupon_id))


async def test_a_clerk_makes_a_coupon_and_changes_it(front: Front) -> None:
    clerk = await front.staff(Role.CATALOGUE)

    made = (await clerk.do(SAVE, **TEN_PERCENT, minimum="100.00", usageLimit=5))["coupon"]
    changed = (
        await clerk.do(
            SAVE, id=made["id"], code="SPRING", title="Spring", type="FIXED", amount="20", currencyCode="USD"
        )
    )["coupon"]

    assert made | {"id": ""} == {
        "id": "",
        "code": "SPRING-10",
        "title": "Spring",
        "type": "PERCENT",
        "percent": 10,
        "amount": None,
        "minimum": {"amount": "100.00", "currencyCode": "CNY"},
        "usageLimit": 5,
        "used": 0,
    }
    assert changed == {
        "id": made["id"],
        "code": "SPRING",
        "title": "Spring",
        "type": "FIXED",
        "percent": None,
        "amount": {"amount": "20.00"},
        "minimum": {"amount": "0.00", "currencyCode": "USD"},
        "usageLimit": None,
        "used": 0,
    }


async def test_a_code_is_taken_once_whatever_its_letters(front: Front, shop: Shop) -> None:
    manager = await front.staff(Role.MANAGER)
    replies = await asyncio.gather(*(manager.do(SAVE, **TEN_PERCENT) for _ in range(4)))

    found = sorted([(e["code"], e["field"]) for e in reply["userErrors"]] for reply in replies)
    assert found == [[], *[[("TAKEN", ["code"])]] * 3]
    other = (await manager.do(SAVE, **(TEN_PERCENT | {"code": "OTHER"})))["coupon"]["id"]
    refused = await manager.do(SAVE, **(TEN_PERCENT | {"code": "Spring-10", "id": other}))
    assert [error["code"] for error in refused["userErrors"]] == ["TAKEN"]


async def test_terms_that_make_no_sense_are_refused_by_name(front: Front, shop: Shop) -> None:
    manager = await front.staff(Role.MANAGER)
    fixed = {"type": "FIXED", "percent": None, "amount": "5"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"code": "a"}, "code"),
        ({"code": "春天春天"}, "code"),
        ({"title": " "}, "title"),
        ({"percent": None}, "percent"),
        ({"percent": 0}, "percent"),
        ({"percent": 101}, "percent"),
        ({"amount": "5"}, "amount"),
        (fixed | {"percent": 5}, "percent"),
        (fixed | {"amount": None}, "amount"),
        (fixed | {"amount": "0"}, "amount"),
        (fixed | {"amount": "1.001"}, "amount"),
        (fixed | {"amount": "1E99"}, "amount"),
        ({"minimum": "-1"}, "minimum"),
        ({"usageLimit": 0}, "usageLimit"),
        ({"startsAt": "2026-11-12T00:00:00Z", "endsAt": "2026-11-12T00:00:00Z"}, "endsAt"),
        ({"startsAt": "2026-11-12T00:00:00"}, "startsAt"),
    ]
    for change, field in wrong:
        payload = await manager.do(SAVE, **(TEN_PERCENT | change))
        assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [("INVALID", [field])], change
    missing = await manager.do(SAVE, **TEN_PERCENT, id=global_id("Coupon", 999_999))
    assert [(e["code"], e["field"]) for e in missing["userErrors"]] == [("NOT_FOUND", ["id"])]
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Coupon)) == 0


async def test_a_limit_cannot_be_less_than_what_was_used(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        coupon = await create_coupon(session, usage_limit=10, used=7)
    manager = await front.staff(Role.MANAGER)

    payload = await manager.do(SAVE, **TEN_PERCENT, id=global_id("Coupon", coupon.id), usageLimit=6)

    assert [error["message"] for error in payload["userErrors"]] == ["It has been used 7 times already."]


async def test_clerks_page_through_coupons_the_newest_first(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        for code in ("ONE", "TWO", "THREE"):
            await create_coupon(session, code=code)
    clerk = await front.staff(Role.CATALOGUE)

    first = (await clerk.get(LIST, first=2))["coupons"]
    rest = (await clerk.get(LIST, first=2, after=first["pageInfo"]["endCursor"]))["coupons"]

    assert ([n["code"] for n in first["nodes"]], first["totalCount"]) == (["THREE", "TWO"], 3)
    assert ([n["code"] for n in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (["ONE"], False)


async def test_customers_see_the_coupon_of_their_cart_but_not_how_often_it_was_used(
    front: Front, shop: Shop
) -> None:
    customer = await front.customer()
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session))
        await create_cart(session, customer.account, lines={variant: 1})
        coupon = await create_coupon(session, code="SPRING", usage_limit=100, used=99)
    await customer.do(APPLY, code="spring")

    shown = (await customer.get(IN_CART))["cart"]["coupon"]

    assert shown == {"code": "SPRING", "title": "Spring sale", "usageLimit": None, "used": None}
    assert await customer.get(NODE, id=global_id("Coupon", coupon.id)) == {"node": None}
    manager = await front.staff(Role.MANAGER)
    node = await manager.get(NODE, id=global_id("Coupon", coupon.id))
    assert node == {"node": {"code": "SPRING", "used": 99}}


async def test_a_coupon_for_five_is_used_five_times_however_many_try_at_once(
    shop: Shop, clock: Clock
) -> None:
    async with shop.database.writes.begin() as session:
        coupon = await create_coupon(session, usage_limit=5)

    async def use() -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await use_coupon(session, coupon.id, now=clock())
        except CouponRefused:
            return False
        return True

    assert sum(await asyncio.gather(*(use() for _ in range(32)))) == 5
    assert await uses(shop, coupon.id) == 5
    async with shop.database.writes.begin() as session:
        await give_back_coupon(session, coupon.id)
    assert await use()
    assert not await use()


async def test_a_coupon_is_not_used_outside_its_time_nor_given_back_below_nothing(
    shop: Shop, clock: Clock
) -> None:
    async def used_at(at: datetime) -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await use_coupon(session, coupon.id, now=at)
        except CouponRefused:
            return False
        return True

    now, later = clock(), clock() + timedelta(hours=1)
    async with shop.database.writes.begin() as session:
        coupon = await create_coupon(session, starts_at=now, ends_at=later)
        await give_back_coupon(session, coupon.id)

    assert [await used_at(at) for at in (now - timedelta(seconds=1), now, later)] == [False, True, False]
    assert await uses(shop, coupon.id) == 1
