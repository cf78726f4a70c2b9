"""Shipping zones and rates, and the fees that follow."""

from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError, ErrorCode
from domain.shipping import (
    ShippingRateDraft,
    ShippingRegion,
    ShippingZoneDraft,
    Tariff,
    load_tariff,
    remove_zone,
    save_zone,
)
from events.shop import Shop
from models import CurrencyCode, Money, ShippingMethod, ShippingRate, ShippingZone
from tests.observe import count_statements

STANDARD, EXPRESS = ShippingMethod.STANDARD, ShippingMethod.EXPRESS
CNY = CurrencyCode.CNY


@dataclass(frozen=True)
class Place:
    country_code: str
    province: str


HOME = Place("CN", "浙江省")


def cny(minor: int) -> Money:
    return Money(minor, CNY)


async def read_tariff(shop: Shop, *currencies: CurrencyCode) -> Tariff:
    async with shop.database.reads() as session:
        return await load_tariff(session, currencies or (CNY,))


async def test_a_destination_belongs_to_the_zone_that_names_it(shop: Shop) -> None:
    tariff = await read_tariff(shop)
    zones = {
        ("CN", "浙江省"): "Near",
        ("CN", "上海"): "Near",
        ("cn", " Jiangsu"): "Near",
        ("CN", "广东省"): "China",
        ("CN", "北京市"): "China",
        ("CN", "Somewhere"): "China",
        ("CN", "新疆维吾尔自治区"): "Remote",
        ("CN", "Inner Mongolia"): "Remote",
        ("US", "Zhejiang"): "Abroad",
    }

    for (country, province), name in zones.items():
        zone = tariff.zone_of(Place(country, province))
        assert zone is not None
        assert zone.name == name, province


@pytest.mark.parametrize(
    ("grams", "fee"), [(0, 600), (1, 600), (1_000, 600), (1_001, 700), (2_000, 700), (9_500, 1_500)]
)
async def test_each_kilogram_begun_after_the_first_costs_more(shop: Shop, grams: int, fee: int) -> None:
    assert (await read_tariff(shop)).fee(STANDARD, HOME, grams, cny(100)) == cny(fee)


@pytest.mark.parametrize(
    ("method", "place", "goods", "fee"),
    [
        (STANDARD, HOME, 9_899, 600),
        (STANDARD, HOME, 9_900, 0),
        (STANDARD, Place("CN", "西藏"), 9_900, 0),
        (STANDARD, Place("US", "CA"), 9_900, 6_000),
        (EXPRESS, HOME, 9_900, 1_200),
    ],
)
async def test_only_standard_at_home_is_free_and_only_from_the_named_amount(
    shop: Shop, method: ShippingMethod, place: Place, goods: int, fee: int
) -> None:
    assert (await read_tariff(shop)).fee(method, place, 500, cny(goods)) == cny(fee)


async def test_a_fee_is_in_the_currency_of_the_goods(shop: Shop) -> None:
    tariff = await read_tariff(shop, CurrencyCode.USD, CurrencyCode.JPY)

    assert tariff.fee(EXPRESS, HOME, 500, Money(100, CurrencyCode.USD)) == Money(180, CurrencyCode.USD)
    assert tariff.fee(EXPRESS, HOME, 500, Money(100, CurrencyCode.JPY)) == Money(240, CurrencyCode.JPY)


async def test_one_statement_reads_the_tariff_for_any_number_of_orders(shop: Shop) -> None:
    with count_statements(shop) as counted:
        tariff = await read_tariff(shop, *CurrencyCode)

    assert counted.total == 1
    assert {method for _, method, _ in tariff.rates} == {STANDARD, EXPRESS}
    assert len(tariff.rates) == 4 * 2 * len(CurrencyCode)


RATE = ShippingRateDraft(
    method=STANDARD,
    currency=CNY,
    first_grams=500,
    first_amount=1_000,
    further_grams=250,
    further_amount=300,
    free_from_amount=None,
    limit_grams=2_000,
)
ISLANDS = ShippingZoneDraft("Islands", [ShippingRegion("CN", "海南"), ShippingRegion("US", "HI")], [RATE])


async def test_the_narrowest_region_decides(shop: Shop, session: AsyncSession) -> None:
    remote = await session.scalar(select(ShippingZone).where(ShippingZone.name == "Remote"))
    assert remote is not None
    await remove_zone(session, remote.id, version=remote.version)
    await save_zone(session, ISLANDS, zone_id=None, version=None)
    await session.commit()
    tariff = await read_tariff(shop)

    assert tariff.fee(STANDARD, Place("CN", "海南省"), 751, cny(100_000)) == cny(1_600)
    assert tariff.fee(STANDARD, Place("US", "hi"), 500, cny(100)) == cny(1_000)
    assert tariff.fee(STANDARD, Place("US", "NY"), 500, cny(100)) == cny(6_000)
    assert tariff.fee(STANDARD, Place("CN", "青海省"), 500, cny(100)) == cny(800)


async def test_a_method_without_a_rate_is_refused_with_those_that_are_offered(
    shop: Shop, session: AsyncSession
) -> None:
    zones = (await session.scalars(select(ShippingZone))).all()
    for zone in zones:
        await remove_zone(session, zone.id, version=zone.version)
    await save_zone(session, ISLANDS, zone_id=None, version=None)
    await session.commit()
    tariff = await read_tariff(shop)

    for method, place, grams, message in [
        (STANDARD, Place("US", "NY"), 1, "We cannot send this to NY."),
        (STANDARD, Place("FR", ""), 1, "We cannot send this to FR."),
        (STANDARD, Place("CN", "海南省"), 2_001, "We cannot send this to 海南省."),
        (EXPRESS, Place("CN", "海南省"), 1, "EXPRESS is not offered for this to 海南省, but STANDARD."),
    ]:
        with pytest.raises(DomainError) as refused:
            tariff.fee(method, place, grams, cny(100))
        assert (refused.value.code, str(refused.value)) == (ErrorCode.NOT_DELIVERABLE, message)


FRANCE = replace(ISLANDS, regions=[ShippingRegion("FR", None)])
WEIGHTLESS, GIVING = replace(RATE, first_grams=0), replace(RATE, first_amount=-1)


@pytest.mark.parametrize(
    ("draft", "code", "field"),
    [
        (replace(FRANCE, name=" "), ErrorCode.INVALID, ("name",)),
        (replace(FRANCE, name="Near"), ErrorCode.TAKEN, ("name",)),
        (replace(FRANCE, regions=[]), ErrorCode.LIMIT_REACHED, ("regions",)),
        (replace(FRANCE, regions=[ShippingRegion("CN", "浙江")]), ErrorCode.TAKEN, ("regions",)),
        (replace(FRANCE, regions=[ShippingRegion(None, None)]), ErrorCode.TAKEN, ("regions",)),
        (
            replace(FRANCE, regions=[ShippingRegion("ZZ", None)]),
            ErrorCode.INVALID,
            ("regions", 0, "country_code"),
        ),
        (
            replace(FRANCE, regions=[ShippingRegion(None, "x")]),
            ErrorCode.INVALID,
            ("regions", 0, "country_code"),
        ),
        (
            replace(FRANCE, regions=[ShippingRegion("CN", "Mars")]),
            ErrorCode.INVALID,
            ("regions", 0, "province"),
        ),
        (replace(FRANCE, rates=[RATE, RATE]), ErrorCode.INVALID, ("rates", 1)),
        (replace(FRANCE, rates=[WEIGHTLESS]), ErrorCode.INVALID, ("rates", 0, "first_grams")),
        (replace(FRANCE, rates=[GIVING]), ErrorCode.INVALID, ("rates", 0, "first")),
    ],
)
async def test_an_invalid_zone_is_refused(
    shop: Shop, session: AsyncSession, draft: ShippingZoneDraft, code: ErrorCode, field: tuple[str | int, ...]
) -> None:
    with pytest.raises(DomainError) as refused:
        await save_zone(session, draft, zone_id=None, version=None)
    await session.rollback()

    assert (refused.value.code, refused.value.field) == (code, field)
    assert await session.scalar(select(func.count(ShippingZone.id))) == 4
    await session.commit()


async def test_a_zone_is_not_saved_over_a_newer_version(shop: Shop, session: AsyncSession) -> None:
    zone = (await session.scalars(select(ShippingZone).where(ShippingZone.name == "Abroad"))).one()
    changed = ShippingZoneDraft("Abroad", [ShippingRegion(None, None)], [RATE])
    assert (await save_zone(session, changed, zone_id=zone.id, version=1)).version == 2
    await session.commit()
    for version in (1, 3, None):
        with pytest.raises(DomainError) as refused:
            await save_zone(session, replace(changed, rates=[]), zone_id=zone.id, version=version)
        await session.rollback()
        assert refused.value.code is ErrorCode.CONFLICT

    amounts = select(ShippingRate.first_amount).where(ShippingRate.zone_id == zone.id)
    rates = await session.scalars(amounts)
    assert list(rates) == [1_000]
    await session.commit()
