"""Units of measurement, their spellings and conversions."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit; `size` is how many of the first unit of its kind it is."""

    symbol: str
    kind: str
    size: Decimal


# All factors are exact. Multiples of ten, litre, minute, hour and day: BIPM, The International System of
# Units, 9th edition. Inch, foot, ounce and pound: agreement on the yard and pound of 1959. Gallon of 231
# cubic inches and its 128th part: NIST Handbook 44, appendix C. 斤 and 两: order of the State Council on
# units of 25 June 1959. Months and years are missing because they differ in length.
_TABLE = {
    "mass": "g 1 克 gram grams | mg 0.001 毫克 | kg 1000 千克 公斤 | t 1000000 吨 | oz 28.349523125 盎司"
    " | lb 453.59237 lbs 磅 | 斤 500 市斤 | 两 50",
    "length": "mm 1 毫米 | cm 10 厘米 公分 | m 1000 米 meter metre | km 1000000 千米 公里"
    ' | in 25.4 inch inches 英寸 " | ft 304.8 feet 英尺',
    "area": "cm2 1 平方厘米 | m2 10000 平方米 | mm2 0.01 平方毫米",
    "volume": "ml 1 毫升 | l 1000 升 litre liter | cl 10 厘升 | m3 1000000 立方米 | cm3 1 立方厘米"
    " | floz 29.5735295625 液量盎司 | gal 3785.411784 加仑",
    "power": "W 1 瓦 瓦特 watt watts | kW 1000 千瓦",
    "energy": "Wh 1 瓦时 | kWh 1000 千瓦时",
    "charge": "mAh 1 毫安时 | Ah 1000 安时",
    "current": "mA 1 毫安 | A 1000 安 安培",
    "voltage": "V 1 伏 伏特 | mV 0.001 毫伏 | kV 1000 千伏",
    "frequency": "Hz 1 赫兹 | kHz 1000 千赫 | MHz 1000000 兆赫 | GHz 1000000000 吉赫",
    "duration": "s 1 sec 秒 | min 60 分钟 | h 3600 小时 | d 86400 day days 天",
}


def normalize_unit(text: str) -> str:
    """The normalized spelling of a unit: m² and m2, fl. oz and floz, KG and kg are the same."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(plain.replace(".", "").split()).casefold()


def conversion_factor(unit: str, other: str) -> Decimal | None:
    """How many of the unit `other` one `unit` is; None when they do not measure the same."""
    if normalize_unit(unit) == normalize_unit(other):
        return Decimal(1)
    known, target = _UNITS.get(normalize_unit(unit)), _UNITS.get(normalize_unit(other))
    return known.size / target.size if known and target and known.kind == target.kind else None


def compatible_units(unit: str) -> list[str]:
    """The unit and all others that measure the same."""
    known = _UNITS.get(normalize_unit(unit))
    kind = {each.symbol: None for each in _UNITS.values() if known and each.kind == known.kind}
    return [unit, *(symbol for symbol in kind if known and symbol not in (unit, known.symbol))]


def _read_table() -> Mapping[str, Unit]:
    units: dict[str, Unit] = {}
    for kind, row in _TABLE.items():
        for each in row.split(" | "):
            symbol, size, *names = each.split(" ")
            units |= {normalize_unit(name): Unit(symbol, kind, Decimal(size)) for name in (symbol, *names)}
    return units


_UNITS = _read_table()
