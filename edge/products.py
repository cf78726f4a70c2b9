"""Product files over HTTP, for staff: `GET /products.csv` exports all products, `POST` imports a file."""

import asyncio
from collections.abc import AsyncIterator
from tempfile import TemporaryFile
from typing import IO

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.catalog.csv import ImportResult, read_products
from domain.catalog.problems import FileProblem
from domain.cause import Cause
from domain.errors import Invalid
from edge.auth import viewer_of
from edge.commands.product_files import write_products
from edge.media import FORM_FIELD, FORM_FIELDS_LIMIT, answer_refusals
from edge.reader import note_viewer
from events.product_import import import_products
from events.shop import Shop
from models import CurrencyCode
from resolvers.context import Viewer
from resolvers.guard import Permission

PATH = "/products.csv"
CHUNK_BYTES = 64 * 1024
FILE_SECONDS = 300
"""How long a file may take to arrive."""

FLAGS = {"": False, "false": False, "0": False, "true": True, "1": True}


def product_routes(shop: Shop) -> list[Route]:
    """The routes of the product file; one import runs at a time in each process."""
    one_import = asyncio.Semaphore(1)

    async def send_export(request: Request) -> Response:
        viewer = await require_editor(request, shop)
        currency = currency_of(request, viewer)
        file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - `stream_file` closes it
        await write_products(shop, file, currency)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="products.csv"',
            "Content-Length": str(file.tell()),
        }
        return StreamingResponse(stream_file(file), media_type="text/csv", headers=headers)

    async def receive_import(request: Request) -> Response:
        viewer = await require_editor(request, shop)
        currency, dry_run = currency_of(request, viewer), boolean_parameter(request, "dryRun")
        async with asyncio.timeout(FILE_SECONDS):
            name, data = await read_upload(request)
        async with one_import:
            parsed = await asyncio.to_thread(read_products, data, file=name, currency=currency)
            result = await import_products(
                shop, parsed, cause=Cause(shop.clock(), viewer.id), dry_run=dry_run
            )
        shop.wake_relay()
        return JSONResponse(report_import(result, viewer), 422 if result.problems else 200)

    return [
        Route(PATH, answer_refusals(send_export), methods=["GET"]),
        Route(PATH, answer_refusals(receive_import), methods=["POST"]),
    ]


async def require_editor(request: Request, shop: Shop) -> Viewer:
    viewer = await viewer_of(request.headers, shop)
    note_viewer(request.scope, viewer)
    viewer.require(Permission.CATALOG_EDIT)
    return viewer


def currency_of(request: Request, viewer: Viewer) -> CurrencyCode:
    """The currency of the plain prices: that of the query, else the viewer's."""
    code = request.query_params.get("currency")
    if code is None:
        return viewer.currency
    try:
        return CurrencyCode(code)
    except ValueError:
        known = ", ".join(CurrencyCode)
        raise Invalid("The currency is one of {known}.", known=known, field=("currency",)) from None


def boolean_parameter(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "")
    if text not in FLAGS:
        raise Invalid("{name} is true or false.", name=name, field=(name,))
    return FLAGS[text]


async def read_upload(request: Request) -> tuple[str, bytes]:
    """The name and content of the file of a form, or of the body itself; BodyLimit limits either."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return "products.csv", await request.body()
    async with request.form(max_files=1, max_fields=FORM_FIELDS_LIMIT) as form:
        file = form.get(FORM_FIELD)
        if not isinstance(file, UploadFile):
            raise Invalid(
                'Send the file as the field "{name}" of the form.', name=FORM_FIELD, field=(FORM_FIELD,)
            )
        return file.filename or "products.csv", await file.read()


async def stream_file(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


def report_import(result: ImportResult, viewer: Viewer) -> dict[str, object]:
    """The result as JSON, with the fields `productsImport` has, in the viewer's language."""
    return {
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "problems": [describe_problem(each, viewer) for each in result.problems],
        "notes": [describe_problem(each, viewer) for each in result.notes],
    }


def describe_problem(problem: FileProblem, viewer: Viewer) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "reason": viewer.text_of(problem.reason),
    }
