"""Uploaded pictures: what is accepted, and what is left of it."""

import math
import struct
import zlib
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import LimitReached, NotFound
from domain.media import (
    EXPENSIVE_PIXEL_BYTES,
    EXPENSIVE_PIXEL_LIMIT,
    FRAMES_LIMIT,
    PIXEL_BYTES,
    PIXEL_LIMIT,
    UPLOADS_LIMIT,
    UPLOADS_PERIOD,
    InvalidPicture,
    PictureTooLarge,
    check_own_media,
    check_upload_limit,
    memory_to_read,
    read_picture,
)
from events.shop import Shop
from tests.factories.account import create_account
from tests.factories.aftersales import create_media
from tests.factories.catalog import NOW


def draw_picture(
    format: str, *, size: tuple[int, int] = (40, 20), frames: int = 1, **options: object
) -> bytes:
    """A red picture; further frames have other colours."""
    pages = [Image.new("RGB", size, (255 - number, number * 80 % 256, 0)) for number in range(frames)]
    file = BytesIO()
    more = {"save_all": True, "append_images": pages[1:]} if frames > 1 else {}
    pages[0].save(file, format, **options, **more)
    return file.getvalue()


def open_image(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


@pytest.mark.parametrize(
    ("format", "extension", "content_type"),
    [
        ("JPEG", "jpg", "image/jpeg"),
        ("PNG", "png", "image/png"),
        ("WEBP", "webp", "image/webp"),
        ("GIF", "gif", "image/gif"),
    ],
)
def test_the_format_of_a_picture_is_told_from_its_bytes(
    format: str, extension: str, content_type: str
) -> None:
    picture = read_picture(draw_picture(format))

    assert (picture.format.extension, picture.format.content_type) == (extension, content_type)
    assert (picture.width, picture.height) == (40, 20)
    assert open_image(picture.data).format == format


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_an_animated_picture_stays_animated(format: str) -> None:
    picture = read_picture(draw_picture(format, frames=3, duration=80))

    assert getattr(open_image(picture.data), "n_frames", 1) == 3


def test_a_photograph_is_rotated_upright_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (30.0, 15.0, 0.0)

    picture = read_picture(draw_picture("JPEG", exif=exif, comment=b"from home"))

    assert (picture.width, picture.height) == (20, 40)
    assert not open_image(picture.data).getexif()
    assert b"from home" not in picture.data


def test_the_text_inside_a_png_is_removed() -> None:
    info = PngInfo()
    info.add_text("Comment", "from home")

    assert b"from home" not in read_picture(draw_picture("PNG", pnginfo=info)).data


def test_data_behind_a_picture_is_removed() -> None:
    assert b"<script>" not in read_picture(draw_picture("PNG") + b"<script>alert(1)</script>").data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        draw_picture("PNG")[:60],
        draw_picture("BMP"),
        draw_picture("TIFF"),
    ],
    ids=["nothing", "svg", "only a beginning", "half", "bmp", "tiff"],
)
def test_an_incomplete_or_unknown_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidPicture):
        read_picture(data)


@pytest.mark.parametrize("size", [(16_384, 1), (8_000, PIXEL_LIMIT // 8_000 + 1)])
def test_a_picture_with_too_many_pixels_is_refused(size: tuple[int, int]) -> None:
    file = BytesIO()
    Image.new("1", size).save(file, "PNG")

    with pytest.raises(PictureTooLarge):
        read_picture(file.getvalue())


@pytest.mark.parametrize(
    ("format", "frames", "bytes_per_pixel"),
    [
        ("PNG", 1, PIXEL_BYTES),
        ("JPEG", 1, PIXEL_BYTES),
        ("WEBP", 1, EXPENSIVE_PIXEL_BYTES),
        ("GIF", 3, 3 * EXPENSIVE_PIXEL_BYTES),
        ("WEBP", 2, 2 * EXPENSIVE_PIXEL_BYTES),
    ],
)
def test_the_memory_a_picture_takes_is_known_before_it_is_decoded(
    format: str, frames: int, bytes_per_pixel: int
) -> None:
    assert memory_to_read(draw_picture(format, size=(40, 20), frames=frames)) == bytes_per_pixel * 40 * 20


def test_a_picture_is_refused_by_its_header_before_anything_is_decoded() -> None:
    header = png_header(60_000, 60_000)

    for read in (memory_to_read, read_picture):
        with pytest.raises(PictureTooLarge):
            read(header)
    for broken in (b"", b"no picture", header[:20]):
        with pytest.raises(InvalidPicture):
            memory_to_read(broken)


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG picture, without any pixel."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 1_000) + b"IDAT"


def test_a_webp_picture_may_have_fewer_pixels_since_it_takes_more_memory() -> None:
    side = math.isqrt(EXPENSIVE_PIXEL_LIMIT) + 1

    with pytest.raises(PictureTooLarge):
        memory_to_read(draw_picture("WEBP", size=(side, side), method=0))


def test_an_animation_with_too_many_frames_is_refused() -> None:
    with pytest.raises(PictureTooLarge):
        read_picture(draw_picture("GIF", size=(2, 2), frames=FRAMES_LIMIT + 1))


async def test_somebody_elses_picture_does_not_exist(shop: Shop, session: AsyncSession) -> None:
    owner, stranger = await create_account(session), await create_account(session)
    media = await create_media(session, uploader_id=owner.id)

    await check_own_media(session, [media.id], account_id=owner.id)
    with pytest.raises(NotFound):
        await check_own_media(session, [media.id], account_id=stranger.id)
    await session.commit()


async def test_a_customer_uploads_at_most_two_hundred_pictures_a_day(
    shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session)
    for _ in range(UPLOADS_LIMIT):
        await create_media(session, uploader_id=account.id, now=NOW)

    with pytest.raises(LimitReached):
        await check_upload_limit(session, account.id, now=NOW + timedelta(hours=23))
    await check_upload_limit(session, account.id, now=NOW + UPLOADS_PERIOD)
    await session.commit()
