"""Product files over HTTP, for clerks: `GET /products.csv` gives all products, `POST` takes some in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from tempfile import TemporaryFile
from typing import IO

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.catalog.files import Import, import_file
from domain.catalog.interchange import read_products
from domain.errors import Invalid
from edge.auth import viewer_of
from edge.files import write_all
from edge.media import FIELD, FIELDS_LIMIT, refusals
from events.shop import Shop
from models import CurrencyCode
from resolvers.context import Viewer
from resolvers.guard import CATALOGUE

PATH = "/products.csv"
CHUNK = 64 * 1024
FILE_SECONDS = 300
"""How long a file may take to arrive."""

FLAGS = {"": False, "false": False, "0": False, "true": True, "1": True}


def product_routes(shop: Shop) -> list[Route]:
    turns = asyncio.Semaphore(1)

    async def give(request: Request) -> Response:
        viewer = clerk(request, shop)
        currency = currency_of(request, viewer)
        file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - `chunks` closes it
        await write_all(shop, file, currency)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="products.csv"',
            "Content-Length": str(file.tell()),
        }
        return StreamingResponse(chunks(file), media_type="text/csv", headers=headers)

    async def take(request: Request) -> Response:
        viewer = clerk(request, shop)
        currency, dry_run = currency_of(request, viewer), flag(request, "dryRun")
        async with asyncio.timeout(FILE_SECONDS):
            name, data = await sent(request)
        async with turns:
            reading = await asyncio.to_thread(read_products, data, file=name, currency=currency)
            async with shop.database.writes.begin() as session:
                outcome = await import_file(session, reading, now=shop.clock(), by=viewer.id, dry_run=dry_run)
        shop.wake()
        return JSONResponse(told(outcome), 422 if outcome.problems else 200)

    return [
        Route(PATH, refusals(give), methods=["GET"]),
        Route(PATH, refusals(take), methods=["POST"]),
    ]


def clerk(request: Request, shop: Shop) -> Viewer:
    viewer = viewer_of(request.headers, shop)
    viewer.require(CATALOGUE)
    return viewer


def currency_of(request: Request, viewer: Viewer) -> CurrencyCode:
    """Of the plain prices."""
    code = request.query_params.get("currency")
    if code is None:
        return viewer.currency
    try:
        return CurrencyCode(code)
    except ValueError:
        known = ", ".join(CurrencyCode)
        raise Invalid(f"The currency is one of {known}.", field=("currency",)) from None


def flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "")
    if text not in FLAGS:
        raise Invalid(f"{name} is true or false.", field=(name,))
    return FLAGS[text]


async def sent(request: Request) -> tuple[str, bytes]:
    """The file of a form with its name, or the body itself; BodyLimit keeps either within its size."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return "products.csv", await request.body()
    async with request.form(max_files=1, max_fields=FIELDS_LIMIT) as form:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise Invalid(f'Send the file as the field "{FIELD}" of the form.', field=(FIELD,))
        return file.filename or "products.csv", await file.read()


async def chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk


def told(outcome: Import) -> dict[str, object]:
    """As `productsImport` tells it."""
    return {
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "problems": [asdict(problem) for problem in outcome.problems],
        "notes": [asdict(note) for note in outcome.notes],
    }
