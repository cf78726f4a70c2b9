"""Asking other hosts whether a picture can be reached, without ever asking a private network."""

from urllib.parse import quote

from gateways.foreign_pictures.hosts import is_public, resolve_host
from gateways.foreign_pictures.probe import CHECK_SECONDS, PictureProbe, PictureUndecided
from gateways.outside import trusted_certificates
from settings import Settings

__all__ = ["CHECK_SECONDS", "PictureProbe", "PictureUndecided", "connect_picture_probe", "name_agent"]


def name_agent(settings: Settings) -> str:
    """The User-Agent, which tells other hosts which shop asks and where to find it."""
    shop = quote(settings.notices.shop_name, safe=" ")
    address = settings.server.public_url
    return (
        f"Cartwheel-Pictures ({shop}; +{quote(address, safe=':/')})"
        if address
        else f"Cartwheel-Pictures ({shop})"
    )


def connect_picture_probe(settings: Settings) -> PictureProbe:
    return PictureProbe(name_agent(settings), trusted_certificates(), resolve_host, is_public)
