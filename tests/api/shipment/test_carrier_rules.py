"""Carriers are chosen by rules that the staff keep: which one fits, and whose turn it is."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.choice import next_by_share
from events.shop import Shop
from gateways.carrier.protocol import BookedWaybill, CarrierNotReached, CarrierQuote
from models import (
    Account,
    CarrierConnection,
    CarrierPreference,
    CarrierRule,
    CurrencyCode,
    Money,
    OrderStatus,
    PaymentMethod,
    Role,
    Shipment,
    Waybill,
)
from tests.clients import Client, Clients
from tests.factories.carrier import ScriptedCarrier, connect_carrier, create_carrier, create_carrier_rule
from tests.factories.order import create_order
from tests.factories.shipment import confirmed_order, pack
from tests.given import id_of
from tests.observe import run_until_idle

UNPACK = "mutation ($input: ShipmentUnpackInput!) { shipmentUnpack(input: $input) { userErrors { code } } }"
SAVE = """
mutation ($input: CarrierRuleSaveInput!) {
  carrierRuleSave(input: $input) {
    carrierRule {
      id name position preference version regions { countryCode province } gramsFrom gramsBelow
      goodsFrom { amount } goodsBelow { amount } isCash priceLimit { amount } promisedWithinHours
      carriers { code share chosen carrier { name } } changedAt changedBy { name } archivedAt
    }
    userErrors { code message field }
  }
}
"""
ARCHIVE = """
mutation ($input: CarrierRuleArchiveInput!) {
  carrierRuleArchive(input: $input) { carrierRule { version archivedAt } userErrors { code field } }
}
"""
RESTORE = """
mutation ($input: CarrierRuleRestoreInput!) {
  carrierRuleRestore(input: $input) { carrierRule { version archivedAt } userErrors { code field } }
}
"""
RULES = """
query ($archived: Boolean! = false) {
  carrierRules(archived: $archived) { name carriers { code chosen } }
}
"""
BOOK = """
mutation ($input: ShipmentBookInput!) {
  shipmentBook(input: $input) {
    shipment {
      waybills {
        carrier choice status number reason rule { name } ruleVersion quotedPrice { amount } promisedAt
        motherNumber pickup { beginsAt endsAt }
      }
    }
    userErrors { code message field }
  }
}
"""
ARCHIVE_CARRIER = """
mutation ($input: CarrierArchiveInput!) {
  carrierArchive(input: $input) { userErrors { code message field } }
}
"""


def carrier_for(connection: CarrierConnection, prefix: str) -> ScriptedCarrier:
    """A carrier that books whatever it is asked for."""
    return ScriptedCarrier([BookedWaybill(f"{prefix}{index}") for index in range(200)], connection=connection)


async def two_carriers(shop: Shop, session: AsyncSession) -> tuple[ScriptedCarrier, ScriptedCarrier]:
    """SF and YTO beside the simulated carrier, which has the first turn."""
    await create_carrier(session, "SF", CarrierConnection.SF_EXPRESS, position=3, takes_cash=True)
    await create_carrier(
        session, "YTO", CarrierConnection.KUAIDI100, position=4, company_code="yuantong", takes_cash=True
    )
    await session.commit()
    sf = carrier_for(CarrierConnection.SF_EXPRESS, "SF")
    yto = carrier_for(CarrierConnection.KUAIDI100, "YT")
    connect_carrier(shop, sf)
    connect_carrier(shop, yto)
    return sf, yto


async def parcels(session: AsyncSession, count: int = 1) -> list[Shipment]:
    order = await confirmed_order(session, quantity=count)
    found = await pack(session, order, *[1] * count)
    await session.commit()
    return found


async def change_rule(shop: Shop, name: str, **values: object) -> None:
    async with shop.database.writes.begin() as write:
        await write.execute(update(CarrierRule).where(CarrierRule.name == name).values(**values))


async def book(clerk: Client, shipment: Shipment, **terms: object) -> list[tuple[str, str, str | None]]:
    """Carrier, choice and rule of all waybills of a parcel after it was booked."""
    answer = await clerk.do(BOOK, id=id_of(shipment), **terms)
    assert answer["userErrors"] == []
    return [
        (each["carrier"], each["choice"], each["rule"] and each["rule"]["name"])
        for each in answer["shipment"]["waybills"]
    ]


async def test_a_rule_is_added_changed_from_the_version_that_was_read_archived_and_restored(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await two_carriers(shop, session)
    terms = {
        "name": " Heavy  parcels ",
        "preference": "SHARE",
        "carriers": [{"code": "SF", "share": 70}, {"code": "YTO", "share": 30}],
        "regions": [{"countryCode": "CN", "province": "浙江"}],
        "gramsFrom": 1000,
        "gramsBelow": 5000,
        "currencyCode": "CNY",
        "goodsFrom": "10.00",
        "isCash": False,
        "priceLimit": "30.00",
        "promisedWithinHours": 48,
    }

    added = (await clerk.do(SAVE, **terms))["carrierRule"]
    changed = (await clerk.do(SAVE, **terms | {"name": "Heavy"}, id=added["id"], version=1))["carrierRule"]
    late = await clerk.do(SAVE, **terms, id=added["id"], version=1)
    archived = (await clerk.do(ARCHIVE, id=added["id"], version=2))["carrierRule"]
    frozen = await clerk.do(SAVE, **terms, id=added["id"], version=3)
    listed = await clerk.get(RULES), await clerk.get(RULES, archived=True)
    restored = (await clerk.do(RESTORE, id=added["id"], version=3))["carrierRule"]

    account = await session.get_one(Account, clerk.account.id) if clerk.account else None
    await session.commit()
    assert added == {
        "id": added["id"],
        "name": "Heavy parcels",
        "position": 1,
        "preference": "SHARE",
        "version": 1,
        "regions": [{"countryCode": "CN", "province": "浙江省"}],
        "gramsFrom": 1000,
        "gramsBelow": 5000,
        "goodsFrom": {"amount": "10.00"},
        "goodsBelow": None,
        "isCash": False,
        "priceLimit": {"amount": "30.00"},
        "promisedWithinHours": 48,
        "carriers": [
            {"code": "SF", "share": 70, "chosen": 0, "carrier": {"name": "Carrier SF"}},
            {"code": "YTO", "share": 30, "chosen": 0, "carrier": {"name": "Carrier YTO"}},
        ],
        "changedAt": added["changedAt"],
        "changedBy": {"name": account.name if account else ""},
        "archivedAt": None,
    }
    assert (changed["name"], changed["version"]) == ("Heavy", 2)
    assert [error["code"] for error in late["userErrors"]] == ["CONFLICT"]
    assert archived["version"] == 3
    assert [error["code"] for error in frozen["userErrors"]] == ["WRONG_STATE"]
    assert [len(each["carrierRules"]) for each in listed] == [0, 1]
    assert (restored["version"], restored["archivedAt"]) == (4, None)


async def test_everything_wrong_with_a_rule_is_said_at_once(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await two_carriers(shop, session)
    gone = await create_carrier(session, "OLD")
    gone.archived_at = shop.clock()
    await create_carrier_rule(session, "All", "SF")
    await session.commit()

    async def fields(**terms: object) -> list[tuple[str, list[str]]]:
        answer = await clerk.do(SAVE, **{"name": "New", "carriers": [{"code": "SF"}]} | terms)
        return [(error["code"], error["field"]) for error in answer["userErrors"]]

    wrong = await fields(
        name="All",
        carriers=[{"code": "OLD"}, {"code": "NONE"}, {"code": "SF"}, {"code": "SF"}],
        gramsFrom=5000,
        gramsBelow=1000,
        promisedWithinHours=0,
        position=0,
        regions=[{"countryCode": "CN", "province": "Atlantis"}],
    )
    over = await fields(
        preference="SHARE", carriers=[{"code": "SF", "share": 70}, {"code": "YTO", "share": 31}]
    )
    none = await fields(preference="SHARE", carriers=[{"code": "SF", "share": 0}, {"code": "YTO"}])
    stray = await fields(carriers=[{"code": "SF", "share": 50}])
    empty = await fields(carriers=[])
    money = await fields(goodsFrom="1.00")
    goods = await fields(currencyCode="CNY", goodsFrom="2.00", goodsBelow="1.00")

    assert sorted(wrong) == sorted(
        [
            ("TAKEN", ["name"]),
            ("INVALID", ["position"]),
            ("INVALID", ["regions", "0", "province"]),
            ("WRONG_STATE", ["carriers", "0", "code"]),
            ("NOT_FOUND", ["carriers", "1", "code"]),
            ("INVALID", ["carriers", "3", "code"]),
            ("INVALID", ["gramsBelow"]),
            ("INVALID", ["promisedWithinHours"]),
        ]
    )
    assert over == [("INVALID", ["carriers"])]
    assert none == [("INVALID", ["carriers", "0", "share"]), ("INVALID", ["carriers", "1", "share"])]
    assert stray == [("INVALID", ["carriers", "0", "share"])]
    assert empty == [("LIMIT_REACHED", ["carriers"])]
    assert money == [("INVALID", ["currencyCode"])]
    assert goods == [("INVALID", ["goodsBelow"])]
    assert len((await session.scalars(select(CarrierRule))).all()) == 1
    await session.commit()


async def test_a_carrier_that_a_rule_names_is_not_archived(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    carrier = await create_carrier(session, "SF")
    rule = await create_carrier_rule(session, "Fast ones", "SF")
    await session.commit()

    refused = await clerk.do(ARCHIVE_CARRIER, id=id_of(carrier), version=1)
    await clerk.do(ARCHIVE, id=id_of(rule), version=1)
    taken = await clerk.do(ARCHIVE_CARRIER, id=id_of(carrier), version=1)
    restored = await clerk.do(RESTORE, id=id_of(rule), version=2)

    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("WRONG_STATE", ["id"])]
    assert "Fast ones" in refused["userErrors"][0]["message"]
    assert taken["userErrors"] == []
    assert [(error["code"], error["field"]) for error in restored["userErrors"]] == [
        ("WRONG_STATE", ["carriers", "0", "code"])
    ]


async def test_the_first_rule_that_fits_chooses_and_none_leaves_it_to_the_turn(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await two_carriers(shop, session)
    heavy = await create_carrier_rule(session, "Heavy", "SF", position=1)
    heavy.grams_from = 1_501
    far = await create_carrier_rule(session, "Far", "SF", position=2)
    far.regions = ["CN/新疆维吾尔自治区"]
    near = await create_carrier_rule(session, "Near", "YTO", position=3)
    near.regions = ["CN/浙江省"]
    dear = await create_carrier_rule(session, "Dear", "SF", position=4)
    dear.currency, dear.goods_from_amount = CurrencyCode.CNY, 0
    first, second = await parcels(session, 2)

    assert await book(clerk, first) == [("YTO", "RULE", "Near")]
    await change_rule(shop, "Near", archived_at=shop.clock())
    await change_rule(shop, "Dear", goods_below_amount=1)
    assert await book(clerk, second) == [("SIMULATED", "TURN", None)]


async def test_rules_tell_cash_and_the_price_of_goods_apart(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await two_carriers(shop, session)
    cash = await create_carrier_rule(session, "Cash", "YTO", position=1)
    cash.is_cash = True
    dear = await create_carrier_rule(session, "Dear", "SF", position=2)
    dear.currency, dear.goods_from_amount = CurrencyCode.CNY, 1_00
    [paid] = await parcels(session)
    order = await create_order(
        session, payments={PaymentMethod.CASH_ON_DELIVERY: None}, status=OrderStatus.CONFIRMED
    )
    [due] = await pack(session, order)
    await session.commit()

    assert await book(clerk, paid) == [("SF", "RULE", "Dear")]
    assert await book(clerk, due) == [("YTO", "RULE", "Cash")]


async def test_a_carrier_of_a_rule_that_is_down_leaves_the_parcel_to_the_next_and_both_say_why(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    sf, _ = await two_carriers(shop, session)
    sf.answers = [CarrierNotReached("ConnectError")]
    await create_carrier_rule(session, "All", "SF", "YTO")
    [shipment] = await parcels(session)

    answer = await clerk.do(BOOK, id=id_of(shipment))

    assert [
        (each["carrier"], each["choice"], each["status"], each["reason"], each["rule"]["name"])
        for each in answer["shipment"]["waybills"]
    ] == [
        ("SF", "RULE", "REFUSED", "ConnectError", "All"),
        ("YTO", "NEXT", "BOOKED", None, "All"),
    ]


@pytest.mark.parametrize("shares", [(70, 30), (50, 50), (1, 99), (34, 33), (10, 20, 30, 40), (97,)])
def test_shares_hold_exactly_after_a_hundred_parcels_and_hardly_differ_before(
    shares: tuple[int, ...],
) -> None:
    named = {f"C{index}": share for index, share in enumerate(shares)}
    chosen: Counter[str] = Counter()

    for count in range(1, 201):
        chosen[next_by_share(named, chosen, list(named))] += 1
        assert all(abs(chosen[each] - count * share / 100) < len(shares) for each, share in named.items())
        if count % 100 == 0:
            assert {each: chosen[each] for each in named} == {
                each: share * count // 100 for each, share in named.items()
            }


async def test_seventy_and_thirty_percent_hold_also_when_many_book_at_once(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await two_carriers(shop, session)
    await create_carrier_rule(
        session,
        "Shared",
        "SF",
        "YTO",
        preference=CarrierPreference.SHARE,
        shares={"SF": 70, "YTO": 30},
    )
    found = [shipment for _ in range(4) for shipment in await parcels(session, 5)]

    booked = await asyncio.gather(*(book(clerk, shipment) for shipment in found))
    again = await book(clerk, found[0])

    assert Counter(carrier for [(carrier, *_)] in booked) == {"SF": 14, "YTO": 6}
    assert again == booked[0]
    [rule] = (await clerk.get(RULES))["carrierRules"]
    assert rule["carriers"] == [{"code": "SF", "chosen": 14}, {"code": "YTO", "chosen": 6}]


async def test_what_shares_leave_over_goes_by_the_next_rule_and_a_refused_parcel_is_counted_once(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    sf, yto = await two_carriers(shop, session)
    await create_carrier_rule(
        session, "Half", "SF", preference=CarrierPreference.SHARE, shares={"SF": 50}, position=1
    )
    await create_carrier_rule(session, "Others", "YTO", position=2)
    first, second, third = await parcels(session, 3)
    sf.answers.insert(0, CarrierNotReached("ConnectError"))
    yto.answers.insert(0, CarrierNotReached("ConnectError"))
    connect_carrier(shop, ScriptedCarrier([CarrierNotReached("ConnectError")]))

    refused = await clerk.do(BOOK, id=id_of(first))
    again = await book(clerk, first)

    assert [error["code"] for error in refused["userErrors"]] == ["PROVIDER_REFUSED"]
    assert again[-1] == ("SF", "RULE", "Half")
    assert await book(clerk, second) == [("YTO", "RULE", "Others")]
    assert await book(clerk, third) == [("SF", "RULE", "Half")]
    rule = await session.scalar(select(CarrierRule).where(CarrierRule.name == "Half"))
    assert rule is not None
    assert rule.chosen == {"SF": 2, "": 1}
    await session.commit()


async def test_the_cheapest_and_the_fastest_are_chosen_by_what_they_quote(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    sf, yto = await two_carriers(shop, session)
    day = timedelta(days=1)
    sf.quotes = [CarrierQuote("", Money(20_00, CurrencyCode.CNY), shop.clock() + day)]
    yto.quotes = [CarrierQuote("", Money(12_00, CurrencyCode.CNY), shop.clock() + 3 * day)]
    await create_carrier_rule(session, "Best", "SF", "YTO", preference=CarrierPreference.CHEAPEST)
    first, second, third, fourth = await parcels(session, 4)

    answer = await clerk.do(BOOK, id=id_of(first))
    await change_rule(shop, "Best", preference=CarrierPreference.FASTEST)
    assert await book(clerk, second) == [("SF", "RULE", "Best")]
    await change_rule(shop, "Best", currency=CurrencyCode.CNY, price_limit_amount=15_00)
    assert await book(clerk, third) == [("YTO", "RULE", "Best")]
    await change_rule(shop, "Best", promised_within_hours=48)
    assert await book(clerk, fourth) == [("SIMULATED", "TURN", None)]

    [waybill] = answer["shipment"]["waybills"]
    assert (waybill["carrier"], waybill["quotedPrice"], waybill["ruleVersion"]) == (
        "YTO",
        {"amount": "12.00"},
        1,
    )
    assert waybill["promisedAt"] is not None


async def test_the_choice_is_kept_where_a_carrier_is_not_connected(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await create_carrier(session, "SF", CarrierConnection.SF_EXPRESS)
    await create_carrier_rule(session, "Only SF", "SF")
    [shipment] = await parcels(session)

    assert await book(clerk, shipment) == [("SIMULATED", "TURN", None)]
    kept = await session.scalar(select(Waybill.rule_id))
    await session.commit()
    assert kept is None


async def test_shares_are_of_what_carriers_carry_and_not_of_what_they_have_refused(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    sf, _ = await two_carriers(shop, session)
    shares = {"SF": 50, "YTO": 50}
    await create_carrier_rule(
        session, "Shared", "SF", "YTO", preference=CarrierPreference.SHARE, shares=shares
    )
    found = await parcels(session, 6)
    sf.answers[:0] = [CarrierNotReached("ConnectError")] * 3

    booked = [(await book(clerk, shipment))[-1][0] for shipment in found]
    await clerk.do(UNPACK, id=id_of(found[-1]))
    await run_until_idle(shop)

    assert booked == ["YTO"] * 3 + ["SF"] * 3
    [rule] = (await clerk.get(RULES))["carrierRules"]
    assert rule["carriers"] == [{"code": "SF", "chosen": 2}, {"code": "YTO", "chosen": 3}]
