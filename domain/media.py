"""Pictures people send: looked at, cleaned, and remembered with who sent them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise
from typing import Any

from PIL import Image, ImageOps, ImageSequence
from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.batches import batches
from domain.errors import Invalid, LimitReached, NotFound
from models import Account, Media, ProductMedia, Role, TicketMedia, Variant

PIXEL_LIMIT = 40_000_000
"""Of all frames together: a picture is unpacked in memory, four bytes for each."""

SIDE_LIMIT = 16_383
"""WebP knows no longer side."""

FRAMES_LIMIT = 200
QUALITY = 90
SQUARES = 8

HERE = "/media/"
"""How the addresses of our own pictures begin."""

KEPT_UNUSED = timedelta(days=7)
"""How long a picture that a customer has sent waits to become part of a ticket."""

LOOKED_BACK = timedelta(days=30)
"""How long after that it is still looked for: longer than any shop is closed."""

UPLOADS_LIMIT = 200
UPLOADS_PERIOD = timedelta(days=1)
"""A customer sends at most UPLOADS_LIMIT pictures in this time."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of picture browsers show, with how it is called in a file and on the wire."""

    name: str
    extension: str
    content_type: str


FORMATS = {
    "JPEG": Format("JPEG", "jpg", "image/jpeg"),
    "PNG": Format("PNG", "png", "image/png"),
    "WEBP": Format("WEBP", "webp", "image/webp"),
    "GIF": Format("GIF", "gif", "image/gif"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn anew: nothing of the file it came in is left but what can be seen."""

    format: Format
    data: bytes
    width: int
    height: int
    fingerprint: int


class NoPicture(Invalid):
    def __init__(self) -> None:
        super().__init__("This is not a whole PNG, JPEG, WebP or GIF picture.", field=("file",))


class PictureTooLarge(LimitReached):
    def __init__(self) -> None:
        super().__init__(
            f"A picture has at most {PIXEL_LIMIT // 1_000_000} million pixels, {SIDE_LIMIT:,} on a side and "
            f"{FRAMES_LIMIT} frames.",
            field=("file",),
        )


def read_picture(data: bytes) -> Picture:
    """The picture in `data`, told by its bytes whatever it is called, without its metadata.

    Cameras write into a picture where it was taken; and a file that is a picture and something else
    besides is only the picture afterwards. Takes up to a second: call it in a thread.
    """
    try:
        return redrawn(data)
    except (PictureTooLarge, NoPicture):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge from None
    except Exception as error:  # Pillow's decoders stumble over broken files in every way there is
        raise NoPicture from error


def redrawn(data: bytes) -> Picture:
    with Image.open(BytesIO(data), formats=list(FORMATS)) as probe:
        check_size(probe)
        probe.verify()
    with Image.open(BytesIO(data), formats=list(FORMATS)) as image:
        format_ = FORMATS.get(image.format or "", FORMATS["JPEG"])  # phones hide a second picture in a JPEG
        frames = getattr(image, "n_frames", 1)
        if format_.name in {"GIF", "WEBP"} and frames > 1:
            return animated(image, format_, frames)
        image.load()
        return still(image, format_)


def check_size(image: Image.Image) -> None:
    if max(image.size) > SIDE_LIMIT or image.width * image.height > PIXEL_LIMIT:
        raise PictureTooLarge


def still(image: Image.Image, format_: Format) -> Picture:
    """Turned the way its metadata said, then without it; colours keep their profile."""
    upright = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
    drawn = BytesIO()
    upright.save(drawn, format_.name, icc_profile=profile, quality=QUALITY)
    return Picture(format_, drawn.getvalue(), *upright.size, fingerprint(upright))


def animated(image: Image.Image, format_: Format, frames: int) -> Picture:
    if frames > FRAMES_LIMIT or frames * image.width * image.height > PIXEL_LIMIT:
        raise PictureTooLarge
    durations, pages = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(frame.info.get("duration", 0))
        page = frame.convert("RGBA")
        page.info = {}
        pages.append(page)
    drawn = BytesIO()
    pages[0].save(
        drawn,
        format_.name,
        save_all=True,
        append_images=pages[1:],
        duration=durations,
        loop=image.info.get("loop", 0),
        quality=QUALITY,
    )
    return Picture(format_, drawn.getvalue(), *image.size, fingerprint(pages[0]))


def fingerprint(image: Image.Image) -> int:
    """64 bits of what a picture shows: whether each of 8 x 8 parts is darker than the one to its right.

    Saved again, larger or smaller it has nearly the same (known as a difference hash).
    """
    opaque = Image.new("RGBA", image.size, "white")
    opaque.alpha_composite(image.convert("RGBA"))
    small = opaque.convert("L").resize((SQUARES + 1, SQUARES), Image.Resampling.LANCZOS).tobytes()
    rows = [small[at : at + SQUARES + 1] for at in range(0, len(small), SQUARES + 1)]
    bits = "".join("01"[left < right] for row in rows for left, right in pairwise(row))
    return int.from_bytes(int(bits, 2).to_bytes(8, "big"), "big", signed=True)


async def add_media(
    session: AsyncSession, picture: Picture, *, url: str, alt: str = "", now: datetime, by: int
) -> Media:
    """Remember a picture that has been put away under `url`."""
    media = Media(
        url=url,
        alt=alt,
        content_type=picture.format.content_type,
        size=len(picture.data),
        width=picture.width,
        height=picture.height,
        fingerprint=picture.fingerprint,
        uploader_id=by,
        created_at=now,
    )
    session.add(media)
    await session.flush()
    return media


async def check_uploads(session: AsyncSession, account_id: int, *, now: datetime) -> None:
    """Refuse a customer who has sent too many pictures lately."""
    recent = await session.scalar(
        select(func.count(Media.id)).where(
            Media.uploader_id == account_id, Media.created_at > now - UPLOADS_PERIOD
        )
    )
    if (recent or 0) >= UPLOADS_LIMIT:
        raise LimitReached(f"At most {UPLOADS_LIMIT} pictures a day.")


async def own_media(session: AsyncSession, media_ids: Sequence[int], *, account_id: int) -> None:
    """Refuse pictures that somebody else sent, like those that do not exist."""
    found = await session.scalars(
        select(Media.id).where(Media.id.in_(media_ids), Media.uploader_id == account_id)
    )
    own = set(found)
    for index, media_id in enumerate(media_ids):
        if media_id not in own:
            raise NotFound("picture", field=("media_ids", index))


async def uploads(session: AsyncSession, urls: Iterable[str]) -> dict[str, Media]:
    """What is known of our own pictures, by their address."""
    own = sorted({url for url in urls if url.startswith(HERE)})
    found: dict[str, Media] = {}
    for batch in batches(own):
        sent = select(Media).where(Media.url.in_(batch), Media.size.is_not(None)).order_by(Media.id)
        found |= {row.url: row for row in await session.scalars(sent)}
    return found


def unused(now: datetime) -> Select[Any]:
    """What customers have sent and never used. Clerks may have put theirs into a text: those stay."""
    same = aliased(Media)
    shown = exists().where(ProductMedia.media_id == same.id) | exists().where(Variant.media_id == same.id)
    return (
        select(Media.id)
        .join(Account, Account.id == Media.uploader_id)
        .where(
            Account.role == Role.CUSTOMER,
            Media.created_at <= now - KEPT_UNUSED,
            Media.created_at > now - KEPT_UNUSED - LOOKED_BACK,
            ~exists().where(TicketMedia.media_id == Media.id),
            ~exists().where(same.url == Media.url, shown),
        )
        .order_by(Media.created_at)
    )


async def forget_unused(session: AsyncSession, media_id: int, *, now: datetime) -> str | None:
    """Forget a picture that is still unused; the name it is kept under."""
    found = unused(now).where(Media.id == media_id).with_only_columns(Media)
    media = await session.scalar(found.with_for_update(of=Media))
    if media is None:
        return None
    await session.delete(media)
    return media.url.removeprefix(HERE)
