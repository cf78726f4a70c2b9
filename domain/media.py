"""Uploaded pictures: checked, re-encoded without metadata, and stored with their uploader."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise

from PIL import Image, ImageOps, ImageSequence, _imaging
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, collect_refusals
from models import STAFF, Account, Media, ProductMedia, TicketMedia, TicketMessageMedia, Variant
from models.sql.batches import in_batches
from models.sql.types import AnySelect

PIXEL_BYTES = 8
"""Memory for each pixel while a picture is decoded and encoded again: 5 were measured for PNG and JPEG."""
EXPENSIVE_PIXEL_BYTES = 20
"""The same for WebP (18 were measured) and for each frame of an animation."""
MEMORY_LIMIT = 320_000_000
PIXEL_LIMIT, EXPENSIVE_PIXEL_LIMIT = MEMORY_LIMIT // PIXEL_BYTES, MEMORY_LIMIT // EXPENSIVE_PIXEL_BYTES
"""The most pixels of a picture, and of a WebP picture or all frames of an animation."""

SIDE_LIMIT = 16_383
"""The longest side WebP allows, in pixels."""

FRAMES_LIMIT = 200
QUALITY = 90
"""Of re-encoded pictures, from 1 to 100."""

PILLOW_BLOCK_BYTES = 64_000_000 // 4_096 * 4_096
"""Blocks so large are returned to the system at once; smaller ones stay with the thread that decoded."""
_imaging.set_block_size(PILLOW_BLOCK_BYTES)

FINGERPRINT_SIDE = 8
STRIP_ROWS = 256
"""Rows that are converted at once."""

MEDIA_PATH = "/media/"
"""The path under which the shop serves uploaded pictures."""

PRIVATE_PREFIX = "private-"
"""Prefix of the names of pictures of customers and couriers, such as evidence of a ticket or a proof of
delivery: their addresses are good for a short time, and no shared cache may keep them."""

UNUSED_RETENTION = timedelta(days=7)
"""How long a picture that a customer has uploaded is kept without being part of a ticket."""

UNUSED_LOOKBACK = timedelta(days=30)
"""How long after that unused pictures are searched for: longer than a shop is ever down."""

UPLOADS_LIMIT = 200
UPLOADS_PERIOD = timedelta(days=1)
"""A customer uploads at most UPLOADS_LIMIT pictures in this time."""


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """A format of pictures: its name in Pillow, its file extension and its content type."""

    name: str
    extension: str
    content_type: str


FORMATS = {
    "JPEG": PictureFormat("JPEG", "jpg", "image/jpeg"),
    "PNG": PictureFormat("PNG", "png", "image/png"),
    "WEBP": PictureFormat("WEBP", "webp", "image/webp"),
    "GIF": PictureFormat("GIF", "gif", "image/gif"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A re-encoded picture: nothing is left of the uploaded file but what can be seen."""

    format: PictureFormat
    data: bytes
    width: int
    height: int
    fingerprint: int


class InvalidPicture(Invalid):
    def __init__(self) -> None:
        super().__init__("This is not a whole PNG, JPEG, WebP or GIF picture.", field=("file",))


class PictureTooLarge(LimitReached):
    def __init__(self) -> None:
        super().__init__(
            "A picture has at most {millions} million pixels, {side} on a side; "
            "a WebP picture or all of {frames} frames {expensive} million.",
            millions=PIXEL_LIMIT // 1_000_000,
            side=SIDE_LIMIT,
            frames=FRAMES_LIMIT,
            expensive=EXPENSIVE_PIXEL_LIMIT // 1_000_000,
            field=("file",),
        )


def read_picture(data: bytes) -> Picture:
    """The picture in `data`, re-encoded without its metadata; its format is told from the bytes.

    Metadata can name the place a photograph was taken at, and a file may be a picture and something else at
    once: neither is left. Takes up to a second: call it in a thread.

    Raises InvalidPicture or PictureTooLarge.
    """
    try:
        return reencode_picture(data)
    except (PictureTooLarge, InvalidPicture):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge from None
    except Exception as error:  # Pillow's decoders stumble over broken files in every way there is
        raise InvalidPicture from error


def memory_to_read(data: bytes) -> int:
    """The bytes that `read_picture` takes at its peak, by the header of the picture, without decoding it.

    Raises InvalidPicture or PictureTooLarge.
    """
    try:
        with Image.open(BytesIO(data), formats=list(FORMATS)) as probe:
            check_size(probe)
            frames = min(getattr(probe, "n_frames", 1), FRAMES_LIMIT)
            return memory_of(probe, frames)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge from None
    except PictureTooLarge:
        raise
    except Exception as error:  # as in `read_picture`
        raise InvalidPicture from error


def reencode_picture(data: bytes) -> Picture:
    with Image.open(BytesIO(data), formats=list(FORMATS)) as probe:
        check_size(probe)
        probe.verify()
    with Image.open(BytesIO(data), formats=list(FORMATS)) as image:
        format_ = FORMATS.get(image.format or "", FORMATS["JPEG"])  # phones hide a second picture in a JPEG
        frames = getattr(image, "n_frames", 1)
        if format_.name in {"GIF", "WEBP"} and frames > 1:
            return reencode_animation(image, format_, frames)
        image.load()
        return reencode_still(image, format_)


def memory_of(image: Image.Image, frames: int) -> int:
    """What its pixels take while they are decoded and encoded again."""
    expensive = frames > 1 or image.format == "WEBP"
    per_pixel = EXPENSIVE_PIXEL_BYTES if expensive else PIXEL_BYTES
    return per_pixel * frames * image.width * image.height


def check_size(image: Image.Image, frames: int = 1) -> None:
    if frames > FRAMES_LIMIT or max(image.size) > SIDE_LIMIT or memory_of(image, frames) > MEMORY_LIMIT:
        raise PictureTooLarge


def reencode_still(image: Image.Image, format_: PictureFormat) -> Picture:
    """Rotated as its metadata says, then without metadata; the colour profile stays."""
    profile = image.info.get("icc_profile")
    ImageOps.exif_transpose(image, in_place=True)  # a copy would take as much memory again
    image.info = {key: value for key, value in image.info.items() if key == "transparency"}
    encoded = BytesIO()
    image.save(encoded, format_.name, icc_profile=profile, quality=QUALITY)
    return Picture(format_, encoded.getvalue(), *image.size, fingerprint_of(image))


def reencode_animation(image: Image.Image, format_: PictureFormat, frames: int) -> Picture:
    check_size(image, frames)
    durations, pages = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(frame.info.get("duration", 0))
        page = frame.convert("RGBA")
        page.info = {}
        pages.append(page)
    encoded = BytesIO()
    pages[0].save(
        encoded,
        format_.name,
        save_all=True,
        append_images=pages[1:],
        duration=durations,
        loop=image.info.get("loop", 0),
        quality=QUALITY,
    )
    return Picture(format_, encoded.getvalue(), *image.size, fingerprint_of(pages[0]))


def fingerprint_of(image: Image.Image) -> int:
    """The difference hash of a picture: for each of 8 x 8 parts a bit, whether it is darker than the next.

    Re-encoded or scaled, a picture has nearly the same hash.
    """
    small = (
        grey_of(image).resize((FINGERPRINT_SIDE + 1, FINGERPRINT_SIDE), Image.Resampling.LANCZOS).tobytes()
    )
    rows = [small[at : at + FINGERPRINT_SIDE + 1] for at in range(0, len(small), FINGERPRINT_SIDE + 1)]
    bits = "".join("01"[left < right] for row in rows for left, right in pairwise(row))
    return int.from_bytes(int(bits, 2).to_bytes(8, "big"), "big", signed=True)


def grey_of(image: Image.Image) -> Image.Image:
    """The picture on white in shades of grey; made in strips, since whole copies take much memory."""
    grey = Image.new("L", image.size)
    for top in range(0, image.height, STRIP_ROWS):
        box = (0, top, image.width, min(top + STRIP_ROWS, image.height))
        strip = image.crop(box).convert("RGBA")
        opaque = Image.new("RGBA", strip.size, "white")
        opaque.alpha_composite(strip)
        grey.paste(opaque.convert("L"), box)
    return grey


async def add_media(
    session: AsyncSession, picture: Picture, *, url: str, alt: str = "", cause: Cause
) -> Media:
    """Add the row of a picture that has been stored under `url`."""
    media = Media(
        url=url,
        alt=alt,
        content_type=picture.format.content_type,
        size=len(picture.data),
        width=picture.width,
        height=picture.height,
        fingerprint=picture.fingerprint,
        uploader_id=cause.by,
        created_at=cause.now,
    )
    session.add(media)
    await session.flush()
    return media


async def check_upload_limit(session: AsyncSession, account_id: int, *, now: datetime) -> None:
    """Refuse a customer who has uploaded too many pictures within UPLOADS_PERIOD."""
    recent = await session.scalar(
        select(func.count(Media.id)).where(
            Media.uploader_id == account_id, Media.created_at > now - UPLOADS_PERIOD
        )
    )
    if (recent or 0) >= UPLOADS_LIMIT:
        raise LimitReached("At most {limit} pictures a day.", limit=UPLOADS_LIMIT)


async def check_own_media(session: AsyncSession, media_ids: Sequence[int], *, account_id: int) -> None:
    """Refuse pictures of another uploader, like those that do not exist."""
    found = await session.scalars(
        select(Media.id).where(Media.id.in_(media_ids), Media.uploader_id == account_id)
    )
    own = set(found)
    with collect_refusals() as check:
        for index, media_id in enumerate(media_ids):
            if media_id not in own:
                check.add(NotFound("picture", field=("media_ids", index)))


async def find_uploads_by_url(session: AsyncSession, urls: Iterable[str]) -> dict[str, Media]:
    """The rows of uploaded pictures, by their URL."""
    own = sorted({url for url in urls if url.startswith(MEDIA_PATH)})
    found: dict[str, Media] = {}
    for batch in in_batches(own):
        uploaded = select(Media).where(Media.url.in_(batch), Media.size.is_not(None)).order_by(Media.id)
        found |= {row.url: row for row in await session.scalars(uploaded)}
    return found


def select_unused_media(now: datetime) -> AnySelect:
    """The ids of pictures that customers have uploaded and never used, the oldest first.

    Pictures of the staff are kept: they may stand in a text.
    """
    same_url = aliased(Media)
    shown = exists().where(ProductMedia.media_id == same_url.id) | exists().where(
        Variant.media_id == same_url.id
    )
    return (
        select(Media.id)
        .join(Account, Account.id == Media.uploader_id)
        .where(
            Account.role.not_in(STAFF),
            Media.created_at <= now - UNUSED_RETENTION,
            Media.created_at > now - UNUSED_RETENTION - UNUSED_LOOKBACK,
            ~exists().where(TicketMedia.media_id == Media.id),
            ~exists().where(TicketMessageMedia.media_id == Media.id),
            ~exists().where(same_url.url == Media.url, shown),
        )
        .order_by(Media.created_at)
    )


async def delete_unused_media(session: AsyncSession, media_id: int, *, now: datetime) -> str | None:
    """Delete the row of a picture that is still unused; returns the name of its file, or None."""
    found = select_unused_media(now).where(Media.id == media_id).with_only_columns(Media)
    media = await session.scalar(found.with_for_update(of=Media))
    if media is None:
        return None
    await session.delete(media)
    return media.url.removeprefix(MEDIA_PATH)
