"""How areas are written: with or without 省, 市, 区, in characters or in Pinyin; one spelling comes out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from atlas.table import Area, areas

SHORTEST = 2
"""Characters that must agree before a name counts as the beginning of a longer one."""

KIND = re.compile(r"(?<=..)(省|市|区|县|旗|盟|自治州|自治县|自治区|特别行政区)$")
PINYIN_KIND = re.compile(
    r"\W+(sheng|shi|qu|xian|province|city|district|county|municipality|autonomous region|zizhiqu)\W*$"
)
IN_ENGLISH: Mapping[str, str] = {
    "inner mongolia": "内蒙古自治区",
    "nei mongol": "内蒙古自治区",
    "tibet": "西藏自治区",
    "shanxi": "山西省",
    "shaanxi": "陕西省",
    "hong kong": "香港特别行政区",
    "macau": "澳门特别行政区",
    "macao": "澳门特别行政区",
}
"""Provinces that are not called by their Pinyin, or share it with another."""

STRAIGHT_BELOW = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")
"""What official tables write in the place of a city where there is none."""


class Unknown(LookupError):
    """No area is called so; `within` is where it was looked for, `allowed` are those there are."""

    def __init__(self, level: str, name: str, within: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{within} has no {level} {name}")
        self.level, self.name, self.within, self.allowed = level, name, within, allowed


@dataclass(frozen=True, slots=True)
class Tree:
    """Areas by the name of the level above; a city is known by its province, too."""

    provinces: Sequence[Area]
    cities: Mapping[str, Sequence[Area]]
    districts: Mapping[tuple[str, str], Sequence[Area]]


def spelled(province: str, city: str, district: str) -> tuple[str, str, str]:
    """An address's areas by their full names; Unknown names the first that does not lie in the one before.

    Where the table goes no further (towns of 东莞市, quarters of 香港) any name will do.
    """
    region = called(province, tree().provinces, "province", "China")
    if is_municipality(region) and city in STRAIGHT_BELOW:
        city = region.name
    if city in STRAIGHT_BELOW:
        city = district
    towns = tree().cities.get(region.name, ())
    town = called(city, towns, "city", region.name).name if towns else city
    quarters = tree().districts.get((region.name, town), ())
    quarter = called(district, quarters, "district", town).name if quarters else district
    return region.name, town, quarter


@lru_cache(maxsize=1024)
def province_called(name: str) -> str | None:
    """The full name of a province of China; None where there is none."""
    try:
        return called(name, tree().provinces, "province", "China").name
    except Unknown:
        return None


def called(name: str, known: Sequence[Area], level: str, within: str) -> Area:
    """The area of this name; today's before those there were."""
    said = name.strip()
    for some in ([area for area in known if not area.former], [area for area in known if area.former]):
        if area := one_of(said, some):
            return area
    raise Unknown(level, said, within, [area.name for area in known if not area.former])


def one_of(said: str, known: Sequence[Area]) -> Area | None:
    if said.isascii():
        return one_in_pinyin(said.lower(), known)
    ways = (
        [area for area in known if area.name == said],
        [area for area in known if KIND.sub("", area.name) == said],
        [area for area in known if len(said) >= SHORTEST and area.name.startswith(said)],
    )
    return next((found[0] for found in ways if len(found) == 1), None)


def one_in_pinyin(said: str, known: Sequence[Area]) -> Area | None:
    plain = PINYIN_KIND.sub("", said.strip())
    if name := IN_ENGLISH.get(plain):
        return next((area for area in known if area.name == name), None)
    letters = re.sub(r"[^a-z]", "", plain)
    found = [area for area in known if letters and pinyin(area.name) == letters]
    return found[0] if len(found) == 1 else None


@cache
def pinyin(name: str) -> str:
    from pypinyin import lazy_pinyin  # its dictionaries take a moment, and few addresses need them

    return "".join(lazy_pinyin(KIND.sub("", name)))


def is_municipality(province: Area) -> bool:
    return province.name.endswith("市")


@cache
def tree() -> Tree:
    names = {area.code: area.name for area in areas()}
    cities: defaultdict[str, list[Area]] = defaultdict(list)
    districts: defaultdict[tuple[str, str], list[Area]] = defaultdict(list)
    provinces = [area for area in areas() if area.is_province]
    for region in filter(is_municipality, provinces):
        cities[region.name].append(region)
    for area in below(provinces):
        above = names[f"{area.code[:2]}0000"]
        town = names.get(f"{area.code[:4]}00") or (above if above.endswith("市") else None)
        if area.is_city or town is None:  # a county right below its province stands for a city
            cities[above].append(area)
        else:
            districts[above, town].append(area)
    return Tree(provinces, cities, districts)


def below(provinces: Iterable[Area]) -> list[Area]:
    codes = {area.code for area in provinces}
    return [area for area in areas() if area.code not in codes]
