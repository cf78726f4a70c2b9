"""The areas of China: what they are called, which lies in which, and where they are.

Names and codes of `areas.csv` are those of the Ministry of Civil Affairs, as collected by
https://github.com/modood/Administrative-divisions-of-China (WTFPL); areas that were merged or renamed since
are kept as `former`, because people go on writing them. The coordinates of their centres come from cpca
(https://github.com/DQinYuan/chinese_province_city_area_mapper, MIT). Nothing here knows of the shop.
"""

from atlas.names import Unknown, province_called, spelled
from atlas.points import City, bare, distance_km, find_point, nearest_city
from atlas.table import Point

__all__ = [
    "City",
    "Point",
    "Unknown",
    "bare",
    "distance_km",
    "find_point",
    "nearest_city",
    "province_called",
    "spelled",
]
