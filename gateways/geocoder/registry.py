"""The geocoder that the shop is connected to, by its settings."""

import httpx

from gateways.geocoder.amap import Amap
from gateways.geocoder.protocol import Geocoder
from settings import Settings


def connect_geocoder(settings: Settings, client: httpx.AsyncClient) -> Geocoder | None:
    """AMap, where its key is set; without it all places are the centres of their districts."""
    amap = settings.amap
    if not (key := amap.key.get_secret_value()):
        return None
    return Amap(client, key, amap.signing_key.get_secret_value(), amap.address)
