"""The provinces, cities and districts of China: their names, their hierarchy and their centres.

Names and codes of `areas.csv` are those of the Ministry of Civil Affairs, as collected by
https://github.com/modood/Administrative-divisions-of-China (WTFPL); areas that were merged or renamed since
are kept as `former`, because people go on writing them. The coordinates of their centres come from cpca
(https://github.com/DQinYuan/chinese_province_city_area_mapper, MIT). The package knows nothing of the shop.
"""

from geo.area_names import UnknownArea, find_province, full_names
from geo.area_table import Point
from geo.coordinates import City, distance_km, find_point, nearest_city, short_name

__all__ = [
    "City",
    "Point",
    "UnknownArea",
    "distance_km",
    "find_point",
    "find_province",
    "full_names",
    "nearest_city",
    "short_name",
]
