"""Prices of variants, set at once or scheduled."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.jobs.schedule import SCHEDULE
from events.jobs.scheduler import Scheduler
from events.shop import Shop
from models import CurrencyCode, Price, PriceChange, PriceChangeStatus, Role
from resolvers.ids import global_id
from tests.api.test_catalog_editing import mutation
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT, Clock
from tests.factories.catalog import create_product, variant_of
from tests.given import cny, names_of_all_events, refusals
from tests.observe import count_statements, run_until_idle

SET = mutation("priceSet", "variant { prices { price { amount currencyCode } } product { version } }")
REMOVE = mutation("priceRemove", "variant { prices { price { currencyCode } } }")
CHANGE = "priceChange { id status startsAt endsAt price { amount } compareAt { amount } variant { sku } }"
SCHEDULE_CHANGE = mutation("priceChangeSchedule", CHANGE)
CANCEL = mutation("priceChangeCancel", CHANGE)
PRICES = """query ($id: ID!, $ended: Boolean! = false) { node(id: $id) { ... on Variant {
    price { amount } compareAtPrice { amount } priceChanges(ended: $ended) { status } } } }"""


def at(minutes: float) -> str:
    return (STARTED_AT + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
async def tea(shop: Shop) -> str:
    """A variant that costs CNY 99.00."""
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, sku="TEA"))
    return global_id("Variant", variant.id)


async def prices_shown(
    client: Client, variant_id: str, *, ended: bool = False
) -> tuple[Any, Any, list[str] | None]:
    found = (await client.get(PRICES, id=variant_id, ended=ended))["node"]
    changes = found["priceChanges"]
    before = found["compareAtPrice"]
    return (
        found["price"] and found["price"]["amount"],
        before and before["amount"],
        None if changes is None else [each["status"] for each in changes],
    )


async def test_a_price_is_set_and_removed_without_changing_the_rest(
    shop: Shop, clerk: Client, tea: str
) -> None:
    usd = {"amount": "14.50", "currencyCode": "USD"}

    added = await clerk.do(SET, variantId=tea, version=0, price=usd)
    lowered = await clerk.do(SET, variantId=tea, version=1, price=cny("80"), compareAt=cny("99"))
    same = await clerk.do(SET, variantId=tea, version=2, price=cny("80"), compareAt=cny("99"))
    removed = await clerk.do(REMOVE, variantId=tea, version=2, currency="USD")

    assert added["variant"] == {
        "prices": [{"price": cny("99.00")}, {"price": usd}],
        "product": {"version": 1},
    }
    assert lowered["variant"]["prices"][0] == {"price": cny("80.00")}
    assert same["variant"]["product"]["version"] == 2
    assert removed["variant"]["prices"] == [{"price": {"currencyCode": "CNY"}}]
    assert await prices_shown(clerk, tea) == ("80.00", "99.00", [])
    assert await names_of_all_events(shop) == ["product.price_changed"] * 3


async def test_an_invalid_price_is_refused(shop: Shop, clerk: Client, tea: str) -> None:
    usd = {"amount": "1", "currencyCode": "USD"}
    wrong: list[tuple[str, dict[str, Any], str, str]] = [
        (SET, {"price": cny("-1")}, "INVALID", "price"),
        (SET, {"price": cny("1"), "compareAt": cny("-1")}, "INVALID", "compareAt"),
        (SET, {"price": cny("1"), "compareAt": usd}, "INVALID", "compareAt"),
        (SET, {"price": cny("0.001")}, "INVALID", "price"),
        (SET, {"price": cny("1"), "version": 7}, "CONFLICT", "version"),
        (SET, {"price": cny("1"), "variantId": global_id("Variant", 99)}, "NOT_FOUND", "variantId"),
        (REMOVE, {"currency": "USD"}, "NOT_FOUND", "currency"),
        (REMOVE, {"currency": "CNY", "version": 7}, "CONFLICT", "version"),
    ]
    for document, given, code, field in wrong:
        assert refusals(await clerk.do(document, **({"variantId": tea, "version": 0} | given))) == [
            (code, field)
        ], given
    assert await prices_shown(clerk, tea) == ("99.00", None, [])
    assert await names_of_all_events(shop) == []


async def test_a_scheduled_price_change_takes_effect_at_its_time(
    shop: Shop, clerk: Client, clients: Clients, tea: str, clock: Clock
) -> None:
    guest = clients.guest()
    made = await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("89"), startsAt=at(1))
    await run_due_jobs_after(shop, clock, minutes=0.99)
    early = await prices_shown(guest, tea)
    await run_due_jobs_after(shop, clock, minutes=0.01)

    assert made["priceChange"] == {
        "id": made["priceChange"]["id"],
        "status": "SCHEDULED",
        "startsAt": at(1),
        "endsAt": None,
        "price": {"amount": "89.00"},
        "compareAt": None,
        "variant": {"sku": "TEA"},
    }
    assert early == ("99.00", None, None)
    assert await prices_shown(guest, tea) == ("89.00", None, None)
    assert await prices_shown(clerk, tea) == ("89.00", None, [])
    assert await prices_shown(clerk, tea, ended=True) == ("89.00", None, ["DONE"])
    found = await guest.get("{ products(sort: PRICE_ASC) { nodes { priceRange { min { amount } } } } }")
    assert found["products"]["nodes"] == [{"priceRange": {"min": {"amount": "89.00"}}}]
    assert await names_of_all_events(shop) == ["product.price_scheduled", "product.price_changed"]


async def run_due_jobs_after(shop: Shop, clock: Clock, *, minutes: float) -> None:
    clock.tick(timedelta(minutes=minutes))
    await Scheduler(shop, SCHEDULE).run_once()


async def test_a_temporary_price_begins_and_ends(
    shop: Shop, clerk: Client, clients: Clients, tea: str, clock: Clock
) -> None:
    await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("79"), startsAt=at(1), endsAt=at(2))
    await run_due_jobs_after(shop, clock, minutes=1)
    during = await prices_shown(clerk, tea)
    await run_due_jobs_after(shop, clock, minutes=1)

    assert during == ("79.00", "99.00", ["RUNNING"])
    assert await prices_shown(clerk, tea) == ("99.00", None, [])


async def test_a_price_set_during_a_temporary_change_stays(
    shop: Shop, clerk: Client, tea: str, clock: Clock
) -> None:
    await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("79"), startsAt=at(1), endsAt=at(2))
    await run_due_jobs_after(shop, clock, minutes=1)
    await clerk.do(SET, variantId=tea, version=2, price=cny("70"))
    await run_due_jobs_after(shop, clock, minutes=1)

    assert await prices_shown(clerk, tea, ended=True) == ("70.00", None, ["DONE"])


async def test_price_changes_due_during_an_outage_are_applied_in_order(
    shop: Shop, clerk: Client, tea: str, clock: Clock
) -> None:
    await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("50"), startsAt=at(1), endsAt=at(2))
    await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("90"), startsAt=at(2))
    await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("60"), startsAt=at(3), endsAt=at(9))
    await run_due_jobs_after(shop, clock, minutes=5)

    assert await prices_shown(clerk, tea, ended=True) == ("60.00", "90.00", ["DONE", "DONE", "RUNNING"])
    assert (await names_of_all_events(shop)).count("product.price_changed") == 1
    await run_due_jobs_after(shop, clock, minutes=5)
    assert (await prices_shown(clerk, tea))[0] == "90.00"


async def test_two_workers_change_a_price_once(
    shop: Shop, session: AsyncSession, clerk: Client, tea: str, clock: Clock
) -> None:
    more = [
        global_id("Variant", (await variant_of(session, await create_product(session))).id) for _ in range(10)
    ]
    await session.commit()
    for variant_id in more:
        await clerk.do(SCHEDULE_CHANGE, variantId=variant_id, price=cny("79"), startsAt=at(1), endsAt=at(2))
    clock.tick(timedelta(minutes=1))
    workers = [Scheduler(shop, SCHEDULE) for _ in range(4)]
    await asyncio.gather(*(worker.run_once() for worker in workers))
    clock.tick(timedelta(minutes=1))
    await asyncio.gather(*(worker.run_once() for worker in workers))

    names = await names_of_all_events(shop)
    assert (names.count("product.price_scheduled"), names.count("product.price_changed")) == (10, 20)
    assert set(await session.scalars(select(Price.amount))) == {9_900}
    assert set(await session.scalars(select(PriceChange.status))) == {PriceChangeStatus.DONE}
    await session.commit()


async def test_a_scheduled_price_change_is_cancelled(
    shop: Shop, clerk: Client, tea: str, clock: Clock
) -> None:
    first = await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("79"), startsAt=at(1), endsAt=at(2))
    second = await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("69"), startsAt=at(3))
    await run_due_jobs_after(shop, clock, minutes=1)

    ended = await clerk.do(CANCEL, id=first["priceChange"]["id"])
    never = await clerk.do(CANCEL, id=second["priceChange"]["id"])
    twice = await clerk.do(CANCEL, id=first["priceChange"]["id"])
    unknown = await clerk.do(CANCEL, id=global_id("PriceChange", 99))
    await run_due_jobs_after(shop, clock, minutes=9)

    assert ended["priceChange"]["status"] == never["priceChange"]["status"] == "CANCELLED"
    assert refusals(twice) == [("WRONG_STATE", "id")]
    assert refusals(unknown) == [("NOT_FOUND", "id")]
    assert await prices_shown(clerk, tea) == ("99.00", None, [])


async def test_an_invalid_price_change_is_refused(shop: Shop, clerk: Client, tea: str) -> None:
    await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("79"), startsAt=at(10), endsAt=at(20))
    right = {"variantId": tea, "price": cny("69"), "startsAt": at(1)}
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"startsAt": at(-1)}, "INVALID", "startsAt"),
        ({"startsAt": at(6 * 365 * 24 * 60)}, "INVALID", "startsAt"),
        ({"endsAt": at(1)}, "INVALID", "endsAt"),
        ({"price": cny("-1")}, "INVALID", "price"),
        ({"startsAt": at(15)}, "TAKEN", "startsAt"),
        ({"startsAt": at(5), "endsAt": at(11)}, "TAKEN", "startsAt"),
        ({"startsAt": at(5), "endsAt": at(30)}, "TAKEN", "startsAt"),
        ({"variantId": global_id("Variant", 99)}, "NOT_FOUND", "variantId"),
    ]
    for given, code, field in wrong:
        assert refusals(await clerk.do(SCHEDULE_CHANGE, **(right | given))) == [(code, field)], given
    touching = await clerk.do(SCHEDULE_CHANGE, **(right | {"startsAt": at(20)}))
    usd = {"amount": "9", "currencyCode": "USD"}
    other = await clerk.do(SCHEDULE_CHANGE, **(right | {"startsAt": at(15), "price": usd}))

    assert touching["userErrors"] == other["userErrors"] == []
    async with shop.database.reads() as session:
        currencies = (await session.scalars(select(PriceChange.currency).order_by(PriceChange.id))).all()
    assert currencies == [CurrencyCode.CNY, CurrencyCode.CNY, CurrencyCode.USD]


async def test_a_cart_says_that_a_price_has_changed(
    shop: Shop, clerk: Client, clients: Clients, tea: str, clock: Clock
) -> None:
    add = mutation("cartLineAdd", "cart { token }")
    token = (await clients.guest().do(add, variantId=tea, quantity=1))["cart"]["token"]
    guest = clients.guest(**{"X-Cart-Token": token})
    await clerk.do(SCHEDULE_CHANGE, variantId=tea, price=cny("79"), startsAt=at(1))
    clock.tick(timedelta(minutes=1))
    await run_until_idle(shop)

    cart = (await guest.get("{ cart { lines { warnings { code } } totals { total { amount } } } }"))["cart"]
    assert cart == {
        "lines": [{"warnings": [{"code": "PRICE_CHANGED"}]}],
        "totals": {"total": {"amount": "79.00"}},
    }


async def test_two_clerks_cannot_schedule_overlapping_price_changes(
    shop: Shop, clients: Clients, tea: str
) -> None:
    clerks = [await clients.staff(Role.CATALOGUE) for _ in range(4)]
    changes = [
        {"variantId": tea, "price": cny(str(70 + number)), "startsAt": at(1 + number), "endsAt": at(20)}
        for number in range(len(clerks))
    ]

    replies = await asyncio.gather(
        *(clerk.do(SCHEDULE_CHANGE, **given) for clerk, given in zip(clerks, changes, strict=True))
    )

    assert sorted(refusals(reply) for reply in replies) == [[], *([[("TAKEN", "startsAt")]] * 3)]
    async with shop.database.reads() as session:
        assert len((await session.scalars(select(PriceChange.id))).all()) == 1


async def test_price_changes_take_one_statement_for_any_number_of_variants(
    shop: Shop, session: AsyncSession, clerk: Client, clients: Clients
) -> None:
    document = "{ products { nodes { variants { sku priceChanges { status } } } } }"
    totals = []
    for _ in range(2):
        variants = [await variant_of(session, await create_product(session)) for _ in range(4)]
        await session.commit()
        for variant in variants:
            given = {"variantId": global_id("Variant", variant.id), "price": cny("1"), "startsAt": at(1)}
            await clerk.do(SCHEDULE_CHANGE, **given)
        await clerk.get(document)
        with count_statements(shop) as seen:
            await clerk.get(document)
        totals.append(seen.total)

    assert totals[0] == totals[1]
