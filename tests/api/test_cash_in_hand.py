"""Cash that couriers collect and hand in: somebody else counts it, and differences are tasks."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment.approval_limit import APPROVAL_LIMITS_KEY
from domain.personal_data import erase_staff
from events.shop import Shop
from models import Account, CourierCashMovement, CurrencyCode, DeliveryRun, LedgerAccount, LedgerEntry, Role
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.cash import CashRun, drive_cash_run, pack_order
from tests.factories.delivery_run import create_delivery_run
from tests.factories.order import CASH, arrive, create_order, dispatch, payments_of
from tests.given import cny, codes, id_of, names_of_all_events, refusals
from tests.observe import count_statements, read_all_rows, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

Tick = Callable[[timedelta], None]

COUNT = """
fragment Count on CashHandIn {
  id expected { amount } counted { amount } difference { amount } reason corrects { id }
  receivedBy { id } resolvedAt resolvedBy { id } resolution
  deliveryRun { cashInHand { amount currencyCode } cashHeldSince cashOverdueAt }
}
"""
HAND_IN = f"""
mutation ($input: CashHandInInput!) {{
  cashHandIn(input: $input) {{ cashHandIn {{ ...Count }} userErrors {{ code message field }} }}
}}
{COUNT}
"""
CORRECT = f"""
mutation ($input: CashHandInCorrectInput!) {{
  cashHandInCorrect(input: $input) {{ cashHandIn {{ ...Count }} userErrors {{ code message field }} }}
}}
{COUNT}
"""
ACCEPT = f"""
mutation ($input: CashDifferenceAcceptInput!) {{
  cashDifferenceAccept(input: $input) {{ cashHandIn {{ ...Count }} userErrors {{ code message field }} }}
}}
{COUNT}
"""
COLLECT = """
mutation ($input: CashCollectInput!) { cashCollect(input: $input) { payment { status } userErrors { code } } }
"""
TASKS = f"""
query ($resolved: Boolean) {{ cashHandIns(resolved: $resolved) {{ totalCount nodes {{ ...Count }} }} }}
{COUNT}
"""
RUNS = """
query ($filter: DeliveryRunFilter) {
  deliveryRuns(filter: $filter) {
    nodes {
      id cashInHand { amount currencyCode } cashHeldSince cashOverdueAt
      courier { name erasedAt cashInHand { amount } } cashHandIns { counted { amount } reason resolution }
    }
  }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { id } }"


async def drive(shop: Shop, courier: Client, *currencies: CurrencyCode, collected: bool = True) -> CashRun:
    """A run of this courier's, all its cash collected unless told otherwise."""
    assert courier.account
    async with shop.database.writes.begin() as session:
        return await drive_cash_run(
            session, courier.account, *currencies, collected=collected, now=shop.clock()
        )


async def count(client: Client, run: DeliveryRun, amount: str, key: str = "first", **given: Any) -> Any:
    terms = {"deliveryRunId": id_of(run), "counted": cny(amount), "idempotencyKey": key}
    return await client.do(HAND_IN, **(terms | given))


async def balances(shop: Shop) -> dict[LedgerAccount, int]:
    """The accounts of cash, in minor units; without those that are even."""
    accounts = (
        LedgerAccount.CASH,
        LedgerAccount.TILL,
        LedgerAccount.CASH_DIFFERENCES,
        LedgerAccount.WRITE_OFF,
    )
    async with shop.database.reads() as session:
        rows = await session.execute(
            select(LedgerEntry.account, func.sum(LedgerEntry.amount))
            .where(LedgerEntry.account.in_(accounts))
            .group_by(LedgerEntry.account)
        )
        return {account: int(total) for account, total in rows if total}


async def test_cash_is_in_the_hands_of_its_courier_until_somebody_counts_it(
    clients: Clients, shop: Shop
) -> None:
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    driven = await drive(shop, courier, CurrencyCode.CNY, CurrencyCode.CNY)

    [held] = (await courier.get(RUNS))["deliveryRuns"]["nodes"]
    assert (held["cashInHand"], held["courier"]["cashInHand"]) == ([cny("198.00")], [{"amount": "198.00"}])
    assert held["cashHeldSince"] == shop.clock().isoformat()
    assert await balances(shop) == {LedgerAccount.CASH: 19_800}
    done = await count(clerk, driven.run, "198.00")

    assert done["userErrors"] == []
    assert done["cashHandIn"] | {"id": None} == {
        "id": None,
        "expected": {"amount": "198.00"},
        "counted": {"amount": "198.00"},
        "difference": {"amount": "0.00"},
        "reason": None,
        "corrects": None,
        "receivedBy": {"id": id_of(clerk.account)},
        "resolvedAt": shop.clock().isoformat(),
        "resolvedBy": None,
        "resolution": None,
        "deliveryRun": {"cashInHand": [], "cashHeldSince": None, "cashOverdueAt": None},
    }
    assert await balances(shop) == {LedgerAccount.TILL: 19_800}
    assert (await clerk.get(TASKS))["cashHandIns"]["totalCount"] == 0
    assert (await names_of_all_events(shop))[-1] == "delivery_run.cash_handed_in"


async def test_a_count_that_is_sent_again_counts_once_and_a_second_one_is_refused(
    clients: Clients, shop: Shop
) -> None:
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    driven = await drive(shop, courier)

    first, again = [await count(clerk, driven.run, "99.00") for _ in range(2)]
    before = await read_all_rows(shop)
    other = await count(clerk, driven.run, "99.00", "second", reason="They brought it again.")
    changed = await count(clerk, driven.run, "98.00")

    assert again == first
    assert refusals(other) == [("WRONG_STATE", "counted")]
    assert refusals(changed) == [("KEY_REUSED", "idempotencyKey")]
    assert await read_all_rows(shop) == before


async def test_what_is_collected_after_a_count_is_counted_next(clients: Clients, shop: Shop) -> None:
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    driven = await drive(shop, courier, CurrencyCode.CNY, CurrencyCode.CNY, collected=False)
    first, second = [{"id": id_of(payment), "amount": cny("99.00")} for payment in driven.payments]

    nothing = await count(clerk, driven.run, "0.00")
    assert codes(await courier.do(COLLECT, **first)) == []
    early = await count(clerk, driven.run, "99.00")
    assert codes(await courier.do(COLLECT, **second)) == []
    late = await count(clerk, driven.run, "99.00", "second")

    assert refusals(nothing) == [("WRONG_STATE", "counted")]
    assert [codes(each) for each in (early, late)] == [[], []]
    assert late["cashHandIn"]["expected"] == {"amount": "99.00"}
    assert await balances(shop) == {LedgerAccount.TILL: 19_800}


async def test_a_foreign_payment_is_not_found_whether_its_parcel_has_arrived_or_not(
    clients: Clients, shop: Shop
) -> None:
    courier, other = await clients.staff(Role.COURIER), await clients.staff(Role.COURIER)
    async with shop.database.writes.begin() as session:
        order = await create_order(session, payments={CASH: None}, now=shop.clock())
        parcel = await pack_order(session, order, now=shop.clock())
        await create_delivery_run(session, [parcel], courier=courier.account, now=shop.clock())
        [payment] = await payments_of(session, order)
    terms = {"amount": cny(str(payment.total.amount))}

    own = await courier.do(COLLECT, id=id_of(payment), **terms)
    foreign = await other.do(COLLECT, id=id_of(payment), **terms)
    unknown = await other.do(COLLECT, id=global_id("Payment", 10_000), **terms)

    assert [codes(each) for each in (own, foreign, unknown)] == [
        ["WRONG_STATE"],
        ["NOT_FOUND"],
        ["NOT_FOUND"],
    ]


async def test_each_currency_is_counted_on_its_own(clients: Clients, shop: Shop) -> None:
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    driven = await drive(shop, courier, CurrencyCode.CNY, CurrencyCode.USD)
    dollars = {"amount": "99.00", "currencyCode": "USD"}

    [held] = (await courier.get(RUNS))["deliveryRuns"]["nodes"]
    first = await count(clerk, driven.run, "99.00")
    euros = await count(clerk, driven.run, "0", "euros", counted={"amount": "9.00", "currencyCode": "EUR"})
    rest = await count(clerk, driven.run, "0", "dollars", counted=dollars)

    assert held["cashInHand"] == [cny("99.00"), dollars]
    assert first["cashHandIn"]["deliveryRun"]["cashInHand"] == [dollars]
    assert first["cashHandIn"]["deliveryRun"]["cashHeldSince"] == shop.clock().isoformat()
    assert refusals(euros) == [("WRONG_STATE", "counted")]
    assert rest["cashHandIn"]["deliveryRun"] == {
        "cashInHand": [],
        "cashHeldSince": None,
        "cashOverdueAt": None,
    }


@pytest.mark.parametrize("amount", ["90.00", "100.00"])
async def test_a_difference_needs_a_reason_and_is_a_task_until_a_manager_accepts_it(
    clients: Clients, shop: Shop, amount: str
) -> None:
    courier, clerk, manager = [
        await clients.staff(role) for role in (Role.COURIER, Role.WAREHOUSE, Role.MANAGER)
    ]
    driven = await drive(shop, courier)
    difference = round(float(amount) * 100) - 9_900
    before = await read_all_rows(shop)

    silent = [await count(clerk, driven.run, amount, reason=reason) for reason in (None, " ")]
    assert [refusals(each) for each in silent] == [[("INVALID", "reason")]] * 2
    assert await read_all_rows(shop) == before
    counted = (await count(clerk, driven.run, amount, reason="The purse was torn."))["cashHandIn"]
    assert (counted["reason"], counted["resolvedAt"]) == ("The purse was torn.", None)
    assert counted["deliveryRun"]["cashInHand"] == []
    assert await balances(shop) == {
        LedgerAccount.TILL: 9_900 + difference,
        LedgerAccount.CASH_DIFFERENCES: -difference,
    }
    assert (await names_of_all_events(shop))[-1] == "delivery_run.cash_differs"
    [task] = (await clerk.get(TASKS))["cashHandIns"]["nodes"]
    assert task == counted

    forbidden = await clerk.do(ACCEPT, id=task["id"], reason="x")
    empty = await manager.do(ACCEPT, id=task["id"], reason=" ")
    accepted = await manager.do(ACCEPT, id=task["id"], reason="Nobody found it.")
    again = await manager.do(ACCEPT, id=task["id"], reason="Nobody found it.")

    assert codes(forbidden) == ["FORBIDDEN"]
    assert refusals(empty) == [("INVALID", "reason")]
    assert accepted["cashHandIn"]["resolution"] == "Nobody found it."
    assert accepted["cashHandIn"]["resolvedBy"] == {"id": id_of(manager.account)}
    assert refusals(again) == [("WRONG_STATE", "id")]
    assert await balances(shop) == {
        LedgerAccount.TILL: 9_900 + difference,
        LedgerAccount.WRITE_OFF: -difference,
    }
    assert (await clerk.get(TASKS))["cashHandIns"]["totalCount"] == 0
    assert (await clerk.get(TASKS, resolved=True))["cashHandIns"]["totalCount"] == 1


@pytest.mark.parametrize("accepted_first", [False, True])
async def test_a_wrong_count_is_corrected_by_a_further_one(
    clients: Clients, shop: Shop, accepted_first: bool
) -> None:
    courier, clerk, manager = [
        await clients.staff(role) for role in (Role.COURIER, Role.WAREHOUSE, Role.MANAGER)
    ]
    driven = await drive(shop, courier)
    wrong = (await count(clerk, driven.run, "90.00", reason="Some are missing."))["cashHandIn"]
    if accepted_first:
        await manager.do(ACCEPT, id=wrong["id"], reason="Nobody found it.")
    terms = {"id": wrong["id"], "reason": "They were in the car.", "idempotencyKey": "found"}

    same = await clerk.do(CORRECT, **terms, counted=cny("90.00"))
    dollars = await clerk.do(CORRECT, **terms, counted={"amount": "1", "currencyCode": "USD"})
    found, again = [await clerk.do(CORRECT, **terms, counted=cny("99.00")) for _ in range(2)]
    stale = await clerk.do(CORRECT, **(terms | {"idempotencyKey": "late"}), counted=cny("95.00"))
    late = await manager.do(ACCEPT, id=wrong["id"], reason="x")

    assert [refusals(each) for each in (same, dollars)] == [[("INVALID", "counted")]] * 2
    assert again == found
    assert found["cashHandIn"]["corrects"] == {"id": wrong["id"]}
    assert found["cashHandIn"]["difference"] == {"amount": "0.00"}
    assert [refusals(each) for each in (stale, late)] == [[("CONFLICT", "id")]] * 2
    assert (await clerk.get(TASKS))["cashHandIns"]["totalCount"] == 0
    assert await balances(shop) == {LedgerAccount.TILL: 9_900}

    less = await clerk.do(
        CORRECT,
        id=found["cashHandIn"]["id"],
        counted=cny("89.00"),
        reason="One was false.",
        idempotencyKey="less",
    )
    assert less["cashHandIn"]["difference"] == {"amount": "-10.00"}
    assert (await clerk.get(TASKS))["cashHandIns"]["totalCount"] == 1
    assert await balances(shop) == {LedgerAccount.TILL: 8_900, LedgerAccount.CASH_DIFFERENCES: 1_000}


async def test_a_large_difference_is_not_accepted_by_who_has_counted_it(clients: Clients, shop: Shop) -> None:
    courier, manager, other = [
        await clients.staff(role) for role in (Role.COURIER, Role.MANAGER, Role.MANAGER)
    ]
    shop.database.writes.configure(info={APPROVAL_LIMITS_KEY: {CurrencyCode.CNY: 1_000}})
    small, large = [await drive(shop, courier) for _ in range(2)]
    missing = [
        (await count(manager, driven.run, amount, amount, reason="Missing."))["cashHandIn"]["id"]
        for driven, amount in ((small, "89.00"), (large, "88.99"))
    ]

    answers = [await manager.do(ACCEPT, id=each, reason="Lost.") for each in missing]
    second = await other.do(ACCEPT, id=missing[1], reason="Lost.")

    assert [codes(each) for each in answers] == [[], ["WRONG_STATE"]]
    assert answers[1]["userErrors"][0]["message"] == (
        "Somebody else must accept a difference of more than 10.00 CNY."
    )
    assert codes(second) == []


async def test_nobody_counts_corrects_or_accepts_the_cash_of_their_own_run(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    first, second = [await drive(shop, courier) for _ in range(2)]
    other = (await count(clerk, first.run, "90.00", reason="Missing."))["cashHandIn"]["id"]
    mine = {"id": other, "counted": cny("99.00"), "reason": "x", "idempotencyKey": "x"}

    as_courier = [await count(courier, second.run, "99.00"), await courier.do(CORRECT, **mine)]
    assert courier.account
    await session.execute(update(Account).where(Account.id == courier.account.id).values(role=Role.MANAGER))
    manager = await session.get_one(Account, courier.account.id, populate_existing=True)
    await session.commit()
    courier = await clients.staff(Role.MANAGER, manager)
    as_manager = [
        await count(courier, second.run, "99.00"),
        await courier.do(CORRECT, **mine),
        await courier.do(ACCEPT, id=other, reason="x"),
    ]

    assert [codes(each) for each in as_courier] == [["FORBIDDEN"]] * 2
    assert [codes(each) for each in as_manager] == [["WRONG_STATE"]] * 3


async def test_couriers_see_only_their_own_cash_and_no_reasons_of_the_staff(
    clients: Clients, shop: Shop
) -> None:
    courier, other, clerk, support = [
        await clients.staff(role) for role in (Role.COURIER, Role.COURIER, Role.WAREHOUSE, Role.SUPPORT)
    ]
    driven = await drive(shop, courier)
    foreign = (await count(clerk, (await drive(shop, other)).run, "90.00", reason="Torn."))["cashHandIn"]
    mine = (await count(clerk, driven.run, "90.00", reason="Torn.", key="mine"))["cashHandIn"]

    [seen] = (await courier.get(RUNS))["deliveryRuns"]["nodes"]
    nodes = [(await courier.get(NODE, id=each["id"]))["node"] for each in (mine, foreign)]
    answers = [await who.ask(TASKS) for who in (courier, support)]

    assert seen["cashHandIns"] == [{"counted": {"amount": "90.00"}, "reason": None, "resolution": None}]
    assert nodes == [{"id": mine["id"]}, None]
    assert [each["errors"][0]["extensions"]["code"] for each in answers] == ["FORBIDDEN"] * 2


async def test_cash_that_is_not_handed_in_in_time_is_a_task_until_it_is(
    clients: Clients, shop: Shop, tick: Tick
) -> None:
    driven = await drive(shop, await clients.staff(Role.COURIER))
    within = shop.settings.deadlines.cash_handed_in_within

    tick(within - timedelta(seconds=1))
    clerk = await clients.staff(Role.WAREHOUSE)
    await run_until_idle(shop)
    in_time = (await clerk.get(RUNS, filter={"hasCash": True}))["deliveryRuns"]["nodes"]
    tick(timedelta(seconds=1))
    await run_until_idle(shop)
    await run_until_idle(shop)

    assert [each["cashOverdueAt"] for each in in_time] == [None]
    [late] = (await clerk.get(RUNS, filter={"hasCash": True}))["deliveryRuns"]["nodes"]
    assert late["cashOverdueAt"] == shop.clock().isoformat()
    assert (await names_of_all_events(shop)).count("delivery_run.cash_overdue") == 1
    done = await count(clerk, driven.run, "99.00")
    assert done["cashHandIn"]["deliveryRun"]["cashOverdueAt"] is None
    assert (await clerk.get(RUNS, filter={"hasCash": True}))["deliveryRuns"]["nodes"] == []


async def test_cash_of_a_courier_who_has_left_stays_in_sight(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    courier = await clients.staff(Role.COURIER)
    driven = await drive(shop, courier)
    tick(shop.settings.accounts.courier_access + timedelta(days=1))
    courier, clerk = await clients.staff(Role.COURIER, courier.account), await clients.staff(Role.WAREHOUSE)
    [own] = (await courier.get(RUNS))["deliveryRuns"]["nodes"]
    assert courier.account
    account = await session.get_one(Account, courier.account.id)
    account.disabled_at = shop.clock()
    await erase_staff(session, account.id, cause=Cause(shop.clock()))
    await session.commit()
    await run_until_idle(shop)

    [seen] = (await clerk.get(RUNS, filter={"hasCash": True}))["deliveryRuns"]["nodes"]
    done = await count(clerk, driven.run, "0.00", reason="They never came back.")

    assert own["cashInHand"] == [cny("99.00")]
    assert seen["courier"]["erasedAt"] is not None
    assert seen["courier"]["cashInHand"] == [{"amount": "99.00"}]
    assert done["cashHandIn"]["difference"] == {"amount": "-99.00"}


async def test_what_a_carrier_hands_over_is_in_the_till_and_in_no_couriers_hands(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    order = await create_order(session, payments={CASH: None}, now=shop.clock())
    [parcel] = await dispatch(session, order, now=shop.clock())
    await arrive(session, parcel, now=shop.clock())
    [payment] = await payments_of(session, order)
    await session.commit()

    done = await clerk.do(COLLECT, id=id_of(payment), amount=cny("99.00"))

    assert done == {"payment": {"status": "CAPTURED"}, "userErrors": []}
    assert await balances(shop) == {LedgerAccount.TILL: 9_900}
    assert await session.scalar(select(func.count()).select_from(CourierCashMovement)) == 0


@pytest.mark.parametrize("amount", ["-0.01", "10000000.01"])
async def test_an_amount_that_nobody_can_have_counted_is_refused(
    clients: Clients, shop: Shop, amount: str
) -> None:
    driven = await drive(shop, await clients.staff(Role.COURIER))
    clerk = await clients.staff(Role.WAREHOUSE)

    answers = [
        await count(clerk, driven.run, amount, reason="x"),
        await count(clerk, driven.run, "1.00", deliveryRunId="RGVsaXZlcnlSdW46OTk5"),
    ]

    assert refusals(answers[0]) == [("INVALID", "counted")]
    assert codes(answers[1]) == ["NOT_FOUND"]
    assert await balances(shop) == {LedgerAccount.CASH: 9_900}


async def test_many_runs_with_cash_cost_as_many_statements_as_one(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await drive(shop, await clients.staff(Role.COURIER))
    with count_statements(shop) as one:
        await clerk.get(RUNS)
    for _ in range(3):
        driven = await drive(shop, await clients.staff(Role.COURIER))
        await count(clerk, driven.run, "1.00", f"{driven.run.id}", reason="x")

    with count_statements(shop) as four:
        found = (await clerk.get(RUNS))["deliveryRuns"]["nodes"]

    assert len(found) == 4
    assert four.total == one.total


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_of_two_clerks_who_count_at_once_one_has_counted(clients: Clients, shop: Shop) -> None:
    courier, first, second = [
        await clients.staff(role) for role in (Role.COURIER, Role.WAREHOUSE, Role.WAREHOUSE)
    ]
    for _ in range(5):
        driven = await drive(shop, courier)
        answers = await asyncio.gather(
            *(count(who, driven.run, "90.00", f"{driven.run.id}", reason="Torn.") for who in (first, second))
        )
        assert sorted(codes(each) for each in answers) == [[], ["WRONG_STATE"]]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_collected_while_a_clerk_counts_is_in_that_count_or_the_next(
    clients: Clients, shop: Shop
) -> None:
    courier, clerk = await clients.staff(Role.COURIER), await clients.staff(Role.WAREHOUSE)
    for _ in range(5):
        driven = await drive(shop, courier, CurrencyCode.CNY, CurrencyCode.CNY, collected=False)
        first, second = [{"id": id_of(payment), "amount": cny("99.00")} for payment in driven.payments]
        await courier.do(COLLECT, **first)
        counted, collected = await asyncio.gather(
            count(clerk, driven.run, "99.00", f"{driven.run.id}"), courier.do(COLLECT, **second)
        )
        assert codes(collected) == []
        if codes(counted):
            assert refusals(counted) == [("INVALID", "reason")]
            assert codes(await count(clerk, driven.run, "198.00", f"{driven.run.id}")) == []
        else:
            assert codes(await count(clerk, driven.run, "99.00", f"{driven.run.id} rest")) == []
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.sum(CourierCashMovement.amount))) == 0
