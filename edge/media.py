"""Pictures: `POST /media` takes one from whoever is signed in, `GET /media/<name>` shows it."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import structlog
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.catalog.lock import CatalogueBusy
from domain.errors import DomainError, ErrorCode, Forbidden, Invalid, LimitReached, Unauthenticated
from domain.media import (
    FORMATS,
    HERE,
    NoPicture,
    PictureTooLarge,
    add_media,
    check_uploads,
    read_picture,
)
from edge.auth import CredentialsRefused, viewer_of
from events.shop import Shop
from gateways.media import MediaUnavailable
from models import Media, Role
from resolvers.context import Viewer
from resolvers.guard import SIGNED_IN
from resolvers.ids import global_id

log = structlog.get_logger()

FIELD = "file"
FIELDS_LIMIT = 5
UPLOAD_SECONDS = 60
PICTURES_AT_ONCE = 2
"""Unpacked in memory at the same time, by one process."""

YEAR_SECONDS = 31_536_000
CONTENT_TYPES = {format_.extension: format_.content_type for format_ in FORMATS.values()}
NAME = re.compile(rf"[A-Za-z0-9_-]{{1,100}}\.({'|'.join(CONTENT_TYPES)})")

PRIVATE = "private-"
"""Begins the names of what customers send: evidence of a ticket is no caches' business but their own."""

SHOWN = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""A picture is a picture, even where its bytes could be taken for a page."""

BY_ALL = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable"}
BY_ONE = {"Cache-Control": f"private, max-age={YEAR_SECONDS}, immutable", "Referrer-Policy": "no-referrer"}

STATUSES: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    CatalogueBusy: 409,
    NoPicture: 415,
    PictureTooLarge: 413,
    LimitReached: 429,
}

UNAVAILABLE = ErrorCode.PROVIDER_UNAVAILABLE

Answer = Callable[[Request], Awaitable[Response]]


def media_routes(shop: Shop) -> list[Route]:
    slots = asyncio.Semaphore(PICTURES_AT_ONCE)

    async def upload(request: Request) -> Response:
        viewer = await uploader(request, shop)
        async with asyncio.timeout(UPLOAD_SECONDS):
            data = await sent(request)
        async with slots:
            picture = await asyncio.to_thread(read_picture, data)
        secret = "" if viewer.is_staff else PRIVATE
        name = f"{secret}{shop.secrets.token()}.{picture.format.extension}"
        await shop.media.put(name, picture.data, content_type=picture.format.content_type)
        async with shop.database.writes.begin() as session:
            media = await add_media(session, picture, url=f"{HERE}{name}", now=shop.clock(), by=viewer.id)
        return JSONResponse(told(media), 201)

    async def show(request: Request) -> Response:
        name = request.path_params["name"]
        known = NAME.fullmatch(name)
        data = await shop.media.get(name) if known else None
        if known is None or data is None:
            return refused("There is no such picture.", ErrorCode.NOT_FOUND, 404)
        cached = BY_ONE if name.startswith(PRIVATE) else BY_ALL
        return Response(data, media_type=CONTENT_TYPES[known.group(1)], headers=SHOWN | cached)

    return [
        Route("/media", refusals(upload), methods=["POST"]),
        Route("/media/{name}", refusals(show), methods=["GET"]),
    ]


async def uploader(request: Request, shop: Shop) -> Viewer:
    """Whose picture it will be, asked before a byte of it is read."""
    viewer = viewer_of(request.headers, shop)
    if viewer.role is Role.CUSTOMER:
        async with shop.database.reads() as session:
            await check_uploads(session, viewer.id, now=shop.clock())
    viewer.require(SIGNED_IN)
    return viewer


async def sent(request: Request) -> bytes:
    """The file of a form, or the body itself; BodyLimit keeps either within its size."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form(max_files=1, max_fields=FIELDS_LIMIT) as form:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise Invalid(f'Send the picture as the field "{FIELD}" of the form.', field=(FIELD,))
        return await file.read()


def told(media: Media) -> dict[str, str | int | None]:
    return {
        "id": global_id("Media", media.id),
        "url": media.url,
        "contentType": media.content_type,
        "width": media.width,
        "height": media.height,
    }


def refusals(answer: Answer) -> Answer:
    """Everything that can be wrong with an upload is a 4xx with a code and words."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except CredentialsRefused as error:
            return refused(str(error), ErrorCode.UNAUTHENTICATED, 401)
        except DomainError as error:
            return refused(str(error), error.code, STATUSES.get(type(error), 400))
        except MediaUnavailable as error:
            log.error("media.unavailable", error=str(error))
            return refused("Pictures cannot be reached just now. Try again.", UNAVAILABLE, 503)
        except HTTPException as error:
            return refused(error.detail, ErrorCode.INVALID, 400)
        except TimeoutError:
            return refused("It took too long to arrive.", ErrorCode.INVALID, 408)

    return answered


def refused(message: str, code: ErrorCode, status: int) -> Response:
    error = {"message": message, "extensions": {"code": code.value}}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"errors": [error]}, status, headers=headers)
