"""What it costs to send a parcel: one table, read by method, distance and weight.

The table is in yuan. Other currencies charge a fixed number of their own minor units for a yuan of it, so
that a fee is the same round amount every day.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from models import CurrencyCode, Money, ShippingMethod

GRAMS_PER_STEP = 1_000

HOME_COUNTRY = "CN"
NEAR_PROVINCES = ("上海", "江苏", "浙江", "安徽", "shanghai", "jiangsu", "zhejiang", "anhui")
"""Around the main warehouse; written with or without 省 and 市, in Chinese or Pinyin."""
REMOTE_PROVINCES = (
    "新疆", "西藏", "内蒙古", "青海", "宁夏", "甘肃", "海南",
    "xinjiang", "tibet", "xizang", "inner mongolia", "nei mongol", "qinghai", "ningxia", "gansu", "hainan",
)  # fmt: skip


class Distance(Enum):
    """How far a parcel travels."""

    NEAR = auto()
    FAR = auto()
    REMOTE = auto()
    ABROAD = auto()


@dataclass(frozen=True, slots=True)
class Tariff:
    """Yuan for a parcel's first kilogram and for each one begun after it."""

    first: int
    further: int


TARIFFS = {
    ShippingMethod.STANDARD: {
        Distance.NEAR: Tariff(6, 1),
        Distance.FAR: Tariff(8, 2),
        Distance.REMOTE: Tariff(15, 10),
        Distance.ABROAD: Tariff(60, 30),
    },
    ShippingMethod.EXPRESS: {
        Distance.NEAR: Tariff(12, 2),
        Distance.FAR: Tariff(18, 5),
        Distance.REMOTE: Tariff(25, 15),
        Distance.ABROAD: Tariff(120, 60),
    },
}

FREE_FROM = 99
"""Yuan of goods that travel at home by STANDARD for nothing."""

YUAN = {
    CurrencyCode.CNY: 100,
    CurrencyCode.USD: 15,
    CurrencyCode.EUR: 14,
    CurrencyCode.GBP: 12,
    CurrencyCode.JPY: 20,
    CurrencyCode.HKD: 110,
}
"""A yuan of this table, in minor units of each currency."""


class Destination(Protocol):
    """As much of an address as a fee depends on."""

    @property
    def country_code(self) -> str: ...
    @property
    def province(self) -> str: ...


def shipping_fee(method: ShippingMethod, address: Destination, weight_grams: int, goods: Money) -> Money:
    """The fee of one delivery, in the currency of the goods in it, whose price decides whether it is free."""
    distance = distance_of(address)
    yuan = YUAN[goods.currency]
    at_home = distance is not Distance.ABROAD
    if method is ShippingMethod.STANDARD and at_home and goods.minor >= FREE_FROM * yuan:
        return Money.zero(goods.currency)
    tariff = TARIFFS[method][distance]
    further_steps = max(0, -(-weight_grams // GRAMS_PER_STEP) - 1)
    return Money((tariff.first + tariff.further * further_steps) * yuan, goods.currency)


def distance_of(address: Destination) -> Distance:
    if address.country_code.upper() != HOME_COUNTRY:
        return Distance.ABROAD
    province = address.province.strip().lower()
    if province.startswith(NEAR_PROVINCES):
        return Distance.NEAR
    return Distance.REMOTE if province.startswith(REMOTE_PROVINCES) else Distance.FAR
