"""Addresses of pictures: absolute in answers, and the shop's own relative where they are stored."""

from dataclasses import replace

from domain.catalog.product import PictureDraft, VariantDraft
from domain.media import MEDIA_PATH, PRIVATE_PREFIX
from domain.picture_size import sized_url
from events.shop import Shop
from gateways.picture_links import sign_picture_path
from models import Media, OrderLine, PictureSize
from resolvers.context import Context, Info


def media_url(root: Media, info: Info, size: PictureSize | None = None) -> str:
    """Its absolute address. An uploaded picture has one for each size, as WebP; others have one for all.
    That of a picture of a customer or courier opens it for half an hour at least; read it anew then.

    size: how large it is shown; the original when left out
    """
    return absolute_url(info.context, openable_url(info.context.shop, sized_url(root.url, size)))


def line_picture_url(root: OrderLine, info: Info, size: PictureSize | None = None) -> str | None:
    """The absolute address of its picture.

    size: how large it is shown; the original when left out
    """
    url = root.picture_url
    return None if url is None else absolute_url(info.context, sized_url(url, size))


def openable_url(shop: Shop, url: str) -> str:
    """The address under which a picture opens: of a private one with a signature that expires."""
    if not url.startswith(MEDIA_PATH + PRIVATE_PREFIX):
        return url
    return sign_picture_path(shop.settings.signing_key(), url, now=shop.clock())


def absolute_url(context: Context, url: str) -> str:
    """The address with scheme and host; one elsewhere has them already."""
    return context.shop_address + url if url.startswith("/") else url


def stored_url(context: Context, url: str) -> str:
    """The address as it is stored: a path for a picture of the shop's own."""
    if not url.startswith(f"{context.shop_address}/"):
        return url
    path = url.removeprefix(context.shop_address)
    return path.partition("?")[0] if path.startswith(MEDIA_PATH + PRIVATE_PREFIX) else path


def store_picture(context: Context, draft: PictureDraft) -> PictureDraft:
    """The picture with its address as it is stored."""
    return replace(draft, url=stored_url(context, draft.url))


def store_variant_picture(context: Context, draft: VariantDraft) -> VariantDraft:
    """The variant with the address of its picture as it is stored."""
    if draft.picture_url is None:
        return draft
    return replace(draft, picture_url=stored_url(context, draft.picture_url))
