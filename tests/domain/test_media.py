"""Pictures: what is taken, and what is left of it."""

from datetime import timedelta
from io import BytesIO

import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from domain.errors import LimitReached, NotFound
from domain.media import (
    FRAMES_LIMIT,
    PIXEL_LIMIT,
    UPLOADS_LIMIT,
    UPLOADS_PERIOD,
    NoPicture,
    PictureTooLarge,
    check_uploads,
    own_media,
    read_picture,
)
from events.shop import Shop
from tests.factories.account import create_account
from tests.factories.aftersales import create_media
from tests.factories.catalog import NOW


def drawn(format: str, *, size: tuple[int, int] = (40, 20), frames: int = 1, **options: object) -> bytes:
    """A red picture; further frames have other colours."""
    pages = [Image.new("RGB", size, (255 - number, number * 80 % 256, 0)) for number in range(frames)]
    file = BytesIO()
    more = {"save_all": True, "append_images": pages[1:]} if frames > 1 else {}
    pages[0].save(file, format, **options, **more)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
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
def test_a_picture_is_known_by_its_bytes(format: str, extension: str, content_type: str) -> None:
    picture = read_picture(drawn(format))

    assert (picture.format.extension, picture.format.content_type) == (extension, content_type)
    assert (picture.width, picture.height) == (40, 20)
    assert opened(picture.data).format == format


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_what_moves_keeps_moving(format: str) -> None:
    picture = read_picture(drawn(format, frames=3, duration=80))

    assert getattr(opened(picture.data), "n_frames", 1) == 3


def test_where_a_photograph_was_taken_is_not_kept_but_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (30.0, 15.0, 0.0)

    picture = read_picture(drawn("JPEG", exif=exif, comment=b"from home"))

    assert (picture.width, picture.height) == (20, 40)
    assert not opened(picture.data).getexif()
    assert b"from home" not in picture.data


def test_the_text_inside_a_png_is_not_kept() -> None:
    info = PngInfo()
    info.add_text("Comment", "from home")

    assert b"from home" not in read_picture(drawn("PNG", pnginfo=info)).data


def test_a_page_hidden_behind_a_picture_is_not_kept() -> None:
    assert b"<script>" not in read_picture(drawn("PNG") + b"<script>alert(1)</script>").data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        drawn("PNG")[:60],
        drawn("BMP"),
        drawn("TIFF"),
    ],
    ids=["nothing", "svg", "only a beginning", "half", "bmp", "tiff"],
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NoPicture):
        read_picture(data)


@pytest.mark.parametrize("size", [(16_384, 1), (8_000, PIXEL_LIMIT // 8_000 + 1)])
def test_a_picture_that_unpacks_to_too_much_is_refused(size: tuple[int, int]) -> None:
    file = BytesIO()
    Image.new("1", size).save(file, "PNG")

    with pytest.raises(PictureTooLarge):
        read_picture(file.getvalue())


def test_a_film_is_no_picture() -> None:
    with pytest.raises(PictureTooLarge):
        read_picture(drawn("GIF", size=(2, 2), frames=FRAMES_LIMIT + 1))


async def test_somebody_elses_picture_does_not_exist(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        owner, stranger = await create_account(session), await create_account(session)
        media = await create_media(session, uploader_id=owner.id)

        await own_media(session, [media.id], account_id=owner.id)
        with pytest.raises(NotFound):
            await own_media(session, [media.id], account_id=stranger.id)


async def test_a_customer_sends_two_hundred_pictures_a_day(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        for _ in range(UPLOADS_LIMIT):
            await create_media(session, uploader_id=account.id, now=NOW)

        with pytest.raises(LimitReached):
            await check_uploads(session, account.id, now=NOW + timedelta(hours=23))
        await check_uploads(session, account.id, now=NOW + UPLOADS_PERIOD)
