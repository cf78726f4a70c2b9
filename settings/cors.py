"""Which web pages of other origins may use the shop."""

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from settings.group import SettingsGroup

ORIGIN = re.compile(r"https?://(\*\.)?([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
"""An origin (RFC 6454), with `*.` for all subdomains."""

SUBDOMAINS = r"([a-z0-9-]+\.)+"
LOCAL_ORIGINS = rf"https?://({SUBDOMAINS})?(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{{1,5}})?"
"""Origins of this machine, allowed in development."""


def _split_origins(value: object) -> object:
    if isinstance(value, str):
        return [part.strip().rstrip("/").lower() for part in value.split(",") if part.strip()]
    return value


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ValueError("is a list of origins such as https://shop.example,https://*.shop.example")
    return origins


Origins = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_split_origins), AfterValidator(_check_origins)
]


class CorsSettings(SettingsGroup):
    preflight_seconds: ClassVar[int] = 7_200
    """How long a browser may keep the answer to a preflight: the most that Chromium does."""

    origins: Origins = Field(
        (),
        validation_alias="CORS_ORIGINS",
        description="origins of web pages that may use the shop, such as https://shop.example,"
        "https://*.shop.example; in development those of this machine may, too",
    )


def origin_pattern(origins: Sequence[str], *, own: str | None, local: bool) -> str:
    """A regular expression for the allowed origins: those listed, that of the URL `own`, and local ones."""
    listed = [re.escape(origin).replace(r"\*\.", SUBDOMAINS) for origin in origins]
    if own:
        parts = urlsplit(own)
        listed.append(re.escape(f"{parts.scheme}://{parts.netloc}".lower()))
    return "|".join([*listed, *([LOCAL_ORIGINS] if local else [])]) or r"(?!)"
