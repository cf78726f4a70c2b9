"""Provinces, cities and districts: of China with their hierarchy and centres, of other countries as listed.

Names and codes of `areas.csv` are those of the Ministry of Civil Affairs, as collected by
https://github.com/modood/Administrative-divisions-of-China (WTFPL); areas that were merged or renamed since
are kept as `former`, because people go on writing them. The coordinates of their centres come from cpca
(https://github.com/DQinYuan/chinese_province_city_area_mapper, MIT). The package knows nothing of the shop.
"""

from geo.area_names import AmbiguousArea, UnknownArea, find_province, full_names
from geo.area_table import Point
from geo.city_names import city_around, city_near, find_city, find_city_name
from geo.coordinates import City, distance_km, find_centre, find_point, nearest_city, reach_km, short_name
from geo.countries import CountryRules, ListedPlace, Places, find_foreign_province, find_place, load_rules
from geo.folding import fold_name
from geo.gcj02 import from_gcj02, to_gcj02

__all__ = [
    "AmbiguousArea",
    "City",
    "CountryRules",
    "ListedPlace",
    "Places",
    "Point",
    "UnknownArea",
    "city_around",
    "city_near",
    "distance_km",
    "find_centre",
    "find_city",
    "find_city_name",
    "find_foreign_province",
    "find_place",
    "find_point",
    "find_province",
    "fold_name",
    "from_gcj02",
    "full_names",
    "load_rules",
    "nearest_city",
    "reach_km",
    "short_name",
    "to_gcj02",
]
