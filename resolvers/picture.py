"""Addresses of pictures: absolute in answers, and the shop's own relative where they are stored."""

from dataclasses import replace

from domain.catalog.product import PictureDraft, VariantDraft
from domain.picture_size import sized_url
from models import Media, OrderLine, PictureSize
from resolvers.context import Context, Info


def media_url(root: Media, info: Info, size: PictureSize | None = None) -> str:
    """Its absolute address. An uploaded picture has one for each size, as WebP; others have one for all.

    size: how large it is shown; the original when left out
    """
    return absolute_url(info.context, sized_url(root.url, size))


def line_picture_url(root: OrderLine, info: Info, size: PictureSize | None = None) -> str | None:
    """The absolute address of its picture.

    size: how large it is shown; the original when left out
    """
    url = root.picture_url
    return None if url is None else absolute_url(info.context, sized_url(url, size))


def absolute_url(context: Context, url: str) -> str:
    """The address with scheme and host; one elsewhere has them already."""
    return context.shop_address + url if url.startswith("/") else url


def stored_url(context: Context, url: str) -> str:
    """The address as it is stored: a path for a picture of the shop's own."""
    return url.removeprefix(context.shop_address) if url.startswith(f"{context.shop_address}/") else url


def store_picture(context: Context, draft: PictureDraft) -> PictureDraft:
    """The picture with its address as it is stored."""
    return replace(draft, url=stored_url(context, draft.url))


def store_variant_picture(context: Context, draft: VariantDraft) -> VariantDraft:
    """The variant with the address of its picture as it is stored."""
    if draft.picture_url is None:
        return draft
    return replace(draft, picture_url=stored_url(context, draft.picture_url))
