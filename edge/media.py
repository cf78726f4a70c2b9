"""Pictures over HTTP: `POST /media` stores one of a signed-in viewer, `GET /media/<name>` serves it."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.catalog.lock import CatalogueBusy
from domain.cause import Cause
from domain.errors import (
    DomainError,
    ErrorCode,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    Unauthenticated,
)
from domain.media import (
    FORMATS,
    MEDIA_PATH,
    PRIVATE_PREFIX,
    InvalidPicture,
    PictureTooLarge,
    add_media,
    check_upload_limit,
    memory_to_read,
    read_picture,
)
from domain.picture_size import CONTENT_TYPE, ORIGINAL, read_sized_name
from edge.addresses import client_address
from edge.auth import CredentialsRefused, viewer_of
from edge.picture_sizes import PictureSizes
from edge.reader import note_viewer
from edge.responses import error_response
from edge.shop_address import shop_address
from events.shop import Shop
from gateways.leases import LimitExceeded
from gateways.media import MediaUnavailable
from gateways.picture_links import LIFETIME, may_open_picture
from models import Media, Role
from resolvers.context import Viewer
from resolvers.guard import Permission
from resolvers.ids import global_id
from resolvers.picture import openable_url
from resolvers.rates import LimitedAction, limit_action
from text.messages import Message

log = structlog.get_logger()

FORM_FIELD = "file"
FORM_FIELDS_LIMIT = 5
UPLOAD_SECONDS = 60
UPLOADS_AT_ONCE = 10
"""Pictures that one account or address may send at the same time: each is in memory until it is decoded."""
RETRY_SECONDS = 2.0

YEAR_SECONDS = 31_536_000
CONTENT_TYPES = {format_.extension: format_.content_type for format_ in FORMATS.values()}

PICTURE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""Browsers must not interpret the bytes of a picture as a page."""

PUBLIC_CACHE = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable"}
PRIVATE_CACHE = {
    "Cache-Control": f"private, max-age={int(LIFETIME.total_seconds())}",
    "Referrer-Policy": "no-referrer",
}

STATUSES: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    CatalogueBusy: 409,
    InvalidPicture: 415,
    PictureTooLarge: 413,
    LimitReached: 429,
}

Handler = Callable[[Request], Awaitable[Response]]


def media_routes(shop: Shop, sizes: PictureSizes) -> list[Route]:
    async def upload_picture(request: Request) -> Response:
        viewer = await authorize_upload(request, shop)
        async with hold_upload(shop, request, viewer):
            async with asyncio.timeout(UPLOAD_SECONDS):
                data = await read_upload(request)
            async with shop.picture_memory.reserve(memory_to_read(data)):
                picture = await asyncio.to_thread(read_picture, data)
        # not a question of permission: what customers and couriers upload is personal, the rest is for all
        is_public = viewer.is_staff and viewer.role is not Role.COURIER
        prefix = "" if is_public else PRIVATE_PREFIX
        name = f"{prefix}{shop.secrets.new_token()}.{picture.format.extension}"
        await shop.media.put(name, picture.data, content_type=picture.format.content_type)
        async with shop.database.writes.begin() as session:
            media = await add_media(
                session, picture, url=f"{MEDIA_PATH}{name}", cause=Cause(shop.clock(), viewer.id)
            )
        address = shop_address(request.scope, shop.settings)
        return JSONResponse(describe_media(media, address, openable_url(shop, media.url)), 201)

    async def show_picture(request: Request) -> Response:
        name = request.path_params["name"]
        if not may_show(request, shop, name):
            return error_response(NotFound("picture").message, ErrorCode.NOT_FOUND, 404)
        if sized := read_sized_name(name):
            data, content_type = await sizes.find(sized), CONTENT_TYPE
        elif match := ORIGINAL.fullmatch(name):
            data, content_type = await shop.media.get(name), CONTENT_TYPES[match["extension"]]
        else:
            data, content_type = None, ""
        if data is None:
            return error_response(NotFound("picture").message, ErrorCode.NOT_FOUND, 404)
        cache = PRIVATE_CACHE if name.startswith(PRIVATE_PREFIX) else PUBLIC_CACHE
        return Response(data, media_type=content_type, headers=PICTURE_HEADERS | cache)

    return [
        Route("/media", answer_refusals(upload_picture), methods=["POST"]),
        Route("/media/{name}", answer_refusals(show_picture), methods=["GET"]),
    ]


def may_show(request: Request, shop: Shop, name: str) -> bool:
    """Whether a picture is for all, or the address of a private one was made by the shop a short time ago."""
    if not name.startswith(PRIVATE_PREFIX):
        return True
    token = request.query_params.get("token", "")
    return may_open_picture(shop.settings.verifying_keys(), MEDIA_PATH + name, token, now=shop.clock())


async def authorize_upload(request: Request, shop: Shop) -> Viewer:
    """Return the viewer, before the body is read; DomainError unless they may upload a picture now."""
    viewer = await viewer_of(request.headers, shop)
    note_viewer(request.scope, viewer)
    if viewer.role in (Role.CUSTOMER, Role.GUEST_BUYER):
        async with shop.database.reads() as session:
            await check_upload_limit(session, viewer.id, now=shop.clock())
    viewer.require(Permission.MEDIA_UPLOAD)
    for source in (client_address(request.scope, shop.settings), f"account:{viewer.id}"):
        await limit_action(shop, LimitedAction.UPLOAD, by=source)
    return viewer


class UploadsBusy(LimitReached):
    def __init__(self) -> None:
        super().__init__("At most {limit} pictures at the same time.", limit=UPLOADS_AT_ONCE)
        self.retry_after_seconds = RETRY_SECONDS


@asynccontextmanager
async def hold_upload(shop: Shop, request: Request, viewer: Viewer) -> AsyncIterator[None]:
    """Take one of the places of the account and of the address until the block ends; UploadsBusy without."""
    async with AsyncExitStack() as places:
        for source in (client_address(request.scope, shop.settings), f"account:{viewer.id}"):
            try:
                await places.enter_async_context(shop.leases.hold(f"upload:{source}", UPLOADS_AT_ONCE))
            except LimitExceeded:
                raise UploadsBusy from None
        yield


async def read_upload(request: Request) -> bytes:
    """Return the file of a form, or else the body; BodyLimit bounds both."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form(max_files=1, max_fields=FORM_FIELDS_LIMIT) as form:
        file = form.get(FORM_FIELD)
        if not isinstance(file, UploadFile):
            raise Invalid(
                'Send the picture as the field "{name}" of the form.', name=FORM_FIELD, field=(FORM_FIELD,)
            )
        return await file.read()


def describe_media(media: Media, address: str, path: str) -> dict[str, str | int | None]:
    return {
        "id": global_id("Media", media.id),
        "url": address + path,
        "contentType": media.content_type,
        "width": media.width,
        "height": media.height,
    }


def answer_refusals(handler: Handler) -> Handler:
    """Wrap a handler so that refusals and failures become responses with a code and a message."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except CredentialsRefused as error:
            return error_response(error.message, ErrorCode.UNAUTHENTICATED, 401)
        except DomainError as error:
            return refusal_response(error)
        except MediaUnavailable as error:
            log.error("media.unavailable", error=str(error))
            return error_response(
                Message("Pictures cannot be reached just now. Try again."),
                ErrorCode.PROVIDER_UNAVAILABLE,
                503,
            )
        except HTTPException as error:
            return error_response(Message("{problem}", problem=error.detail), ErrorCode.INVALID, 400)
        except TimeoutError:
            return error_response(Message("The request took too long to arrive."), ErrorCode.INVALID, 408)

    return handle


def refusal_response(error: DomainError) -> Response:
    """The response to a refusal, with the time after which trying again makes sense where that is known."""
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 400)
    wait = error.retry_after_seconds
    headers = {} if wait is None else {"Retry-After": str(max(math.ceil(wait), 1))}
    return error_response(error.message, error.code, status, **headers)
