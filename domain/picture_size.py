"""Pictures in several sizes: their names, and how each is made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from domain.media import FORMATS, MEDIA_PATH, InvalidPicture, PictureTooLarge, check_size
from models import PictureSize

SIDES: Mapping[PictureSize, int] = {
    PictureSize.THUMBNAIL: 160,
    PictureSize.SMALL: 400,
    PictureSize.MEDIUM: 800,
    PictureSize.LARGE: 1_600,
}
"""The most pixels of the longer side. A picture that is smaller already keeps its size."""

CONTENT_TYPE = "image/webp"
QUALITY = 82
"""Of the files, from 1 to 100; the original is stored at 90."""

EXTENSIONS = "|".join(format_.extension for format_ in FORMATS.values())
ORIGINAL = re.compile(rf"[A-Za-z0-9_-]{{1,100}}\.(?P<extension>{EXTENSIONS})")
SIZED = re.compile(
    rf"(?P<original>{ORIGINAL.pattern})\.(?P<size>{'|'.join(size.lower() for size in PictureSize)})\.webp"
)
"""The name of a size: that of the original, which stands for its content, and of the size."""

if missing := set(PictureSize) - set(SIDES):
    raise TypeError(f"there are no pixels for {sorted(missing)}")


@dataclass(frozen=True, slots=True)
class SizedName:
    """The name of one size of an uploaded picture."""

    original: str
    size: PictureSize

    @property
    def name(self) -> str:
        return f"{self.original}.{self.size.lower()}.webp"


def read_sized_name(name: str) -> SizedName | None:
    """Return what a file name stands for; None when it is not that of a size."""
    match = SIZED.fullmatch(name)
    return SizedName(match["original"], PictureSize(match["size"].upper())) if match else None


def sized_url(url: str, size: PictureSize | None) -> str:
    """Return the address of a size of an uploaded picture; other pictures have one address only."""
    name = url.removeprefix(MEDIA_PATH)
    if size is None or name == url or not ORIGINAL.fullmatch(name):
        return url
    return MEDIA_PATH + SizedName(name, size).name


def list_file_names(original: str) -> list[str]:
    """Return the names of all files of an uploaded picture: the original and every size."""
    return [original, *(SizedName(original, size).name for size in PictureSize)]


def resize_picture(data: bytes, size: PictureSize) -> bytes:
    """Return a picture in this size as WebP: of an animation the first frame.

    Takes up to a second: call it in a thread. Raises InvalidPicture or PictureTooLarge.
    """
    try:
        return encode_size(data, SIDES[size])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge from None
    except OSError as error:
        raise InvalidPicture from error


def encode_size(data: bytes, side: int) -> bytes:
    with Image.open(BytesIO(data), formats=list(FORMATS)) as image:
        check_size(image)
        profile = image.info.get("icc_profile")
        shown = image if image.mode in {"RGB", "RGBA"} else image.convert(mode_for(image))
        shown.thumbnail((side, side), Image.Resampling.LANCZOS)  # decodes a JPEG at a fraction of its size
        encoded = BytesIO()
        shown.save(encoded, "WEBP", quality=QUALITY, icc_profile=profile)
    return encoded.getvalue()


def mode_for(image: Image.Image) -> str:
    """Return the mode that keeps what the picture shows, with transparency where it has some."""
    return "RGBA" if image.has_transparency_data else "RGB"
