"""Uploaded pictures: what is accepted, and what is left of it."""

from datetime import timedelta
from io import BytesIO

import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import LimitReached, NotFound
from domain.media import (
    FRAMES_LIMIT,
    PIXEL_LIMIT,
    UPLOADS_LIMIT,
    UPLOADS_PERIOD,
    InvalidPicture,
    PictureTooLarge,
    check_own_media,
    check_upload_limit,
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
