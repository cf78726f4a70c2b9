"""Names of areas, written with or without 省, 市 and 区, in characters or in pinyin, and their full forms."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from geo.area_table import Area, load_areas
from geo.folding import fold_name, remove_accents

MIN_PREFIX_LENGTH = 2
"""Characters of the shortest name that is taken as the beginning of a longer one."""
MIN_PINYIN_PREFIX_LENGTH = 5
"""Letters of the shortest pinyin that is taken as the beginning of a longer one, such as "Guangxi"."""

LEVEL_SUFFIX = re.compile(r"(?<=..)(省|市|区|县|旗|盟|自治州|自治县|自治区|特别行政区)$")
PINYIN_LEVEL_SUFFIX = re.compile(
    r"\W+(sheng|shi|qu|xian|province|city|district|county|municipality|autonomous region|zizhiqu)\W*$"
)
ENGLISH_NAMES: Mapping[str, str] = {
    "inner mongolia": "内蒙古自治区",
    "nei mongol": "内蒙古自治区",
    "tibet": "西藏自治区",
    "shanxi": "山西省",
    "shaanxi": "陕西省",
    "hong kong": "香港特别行政区",
    "macau": "澳门特别行政区",
    "macao": "澳门特别行政区",
}
"""Provinces whose English name is not their pinyin, or whose pinyin is that of another one, too."""

CITY_PLACEHOLDERS = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")
"""What official tables write in the place of a city where there is none."""


class UnknownArea(LookupError):
    """No area of this level has the name; `within`: where it was looked for; `allowed`: names there."""

    def __init__(self, level: str, name: str, within: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{within} has no {level} {name}")
        self.level, self.name, self.within, self.allowed = level, name, within, allowed


class AmbiguousArea(UnknownArea):
    """Several areas can be meant by the name; `allowed`: those."""


@dataclass(frozen=True, slots=True)
class AreaTree:
    """Areas by the full name of the area above; districts by province and city, since city names repeat."""

    provinces: Sequence[Area]
    cities: Mapping[str, Sequence[Area]]
    districts: Mapping[tuple[str, str], Sequence[Area]]


def full_names(province: str, city: str, district: str) -> tuple[str, str, str]:
    """The full names of a province, city and district, each looked for in the one before.

    Raises UnknownArea and AmbiguousArea. Where the table ends above (towns of 东莞市, quarters of 香港) any
    name is returned as it is, and none is needed.
    """
    province_area = find_area(province, area_tree().provinces, "province", "China")
    if is_municipality(province_area) and city in CITY_PLACEHOLDERS:
        city = province_area.name
    if city in CITY_PLACEHOLDERS:
        city = district
    cities = area_tree().cities.get(province_area.name, ())
    city_name = find_area(city, cities, "city", province_area.name).name if cities else city
    districts = area_tree().districts.get((province_area.name, city_name), ())
    district_name = find_area(district, districts, "district", city_name).name if districts else district
    return province_area.name, city_name, district_name


@lru_cache(maxsize=1024)
def find_province(name: str) -> str | None:
    """The full name of a province of China; None where there is none."""
    try:
        return find_area(name, area_tree().provinces, "province", "China").name
    except UnknownArea:
        return None


def find_area(name: str, areas: Sequence[Area], level: str, within: str) -> Area:
    """The area of this name, present ones before former ones; raises UnknownArea and AmbiguousArea."""
    stripped = name.strip()
    present, former = [area for area in areas if not area.former], [area for area in areas if area.former]
    matches = match_name(stripped, present), match_name(stripped, former)
    for found in matches:
        if len(found) == 1:
            return found[0]
    for found in filter(None, matches):
        raise AmbiguousArea(level, stripped, within, [area.name for area in found])
    raise UnknownArea(level, stripped, within, [area.name for area in present])


def match_name(name: str, areas: Sequence[Area]) -> Sequence[Area]:
    """The areas with this name, else with it as their name without the suffix, else as its beginning."""
    unaccented = remove_accents(name)
    if unaccented.isascii():
        return match_pinyin(unaccented.lower(), areas)
    folded = fold_name(name)
    matches = (
        [area for area in areas if area.name == folded],
        [area for area in areas if LEVEL_SUFFIX.sub("", area.name) == folded],
        [area for area in areas if len(folded) >= MIN_PREFIX_LENGTH and area.name.startswith(folded)],
    )
    return next((found for found in matches if len(found) == 1), next(filter(None, matches), ()))


def match_pinyin(name: str, areas: Sequence[Area]) -> Sequence[Area]:
    plain = PINYIN_LEVEL_SUFFIX.sub("", name.strip())
    if full_name := ENGLISH_NAMES.get(plain):
        return [area for area in areas if area.name == full_name]
    letters = re.sub(r"[^a-z]", "", plain)
    exact = [area for area in areas if letters and pinyin_of(area.name) == letters]
    if exact or len(letters) < MIN_PINYIN_PREFIX_LENGTH:
        return exact
    return [area for area in areas if pinyin_of(area.name).startswith(letters)]


@cache
def pinyin_of(name: str) -> str:
    from pypinyin import (
        lazy_pinyin,
    )  # imported late: its dictionaries load slowly, and few addresses need them

    return "".join(lazy_pinyin(LEVEL_SUFFIX.sub("", name)))


def is_municipality(province: Area) -> bool:
    return province.name.endswith("市")


@cache
def area_tree() -> AreaTree:
    names = {area.code: area.name for area in load_areas()}
    cities: defaultdict[str, list[Area]] = defaultdict(list)
    districts: defaultdict[tuple[str, str], list[Area]] = defaultdict(list)
    provinces = [area for area in load_areas() if area.is_province]
    for province in filter(is_municipality, provinces):
        cities[province.name].append(province)
    for area in exclude_provinces(provinces):
        above = names[f"{area.code[:2]}0000"]
        city = names.get(f"{area.code[:4]}00") or (above if above.endswith("市") else None)
        if area.is_city or city is None:  # a county right below its province takes the place of a city
            cities[above].append(area)
        else:
            districts[above, city].append(area)
    return AreaTree(provinces, cities, districts)


def exclude_provinces(provinces: Iterable[Area]) -> list[Area]:
    codes = {area.code for area in provinces}
    return [area for area in load_areas() if area.code not in codes]
