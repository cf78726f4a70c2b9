"""`/` shows a person, or a program, where to go; `/schema.graphql` is the schema as a file."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from domain.errors import ErrorCode
from edge.caching import add_etag
from edge.responses import error_response
from events.shop import Shop
from schema.shop import ShopSchema
from text.messages import Message

PAGE = Template(Path(__file__).with_name("start_page.html").read_text(encoding="utf-8"))
STYLE = Path(__file__).with_name("start_page.css").read_text(encoding="utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

SCHEMA_PATH = "/schema.graphql"

CACHE = {"Cache-Control": "no-cache", "Vary": "Accept"}
PAGE_HEADERS = CACHE | {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
}


@dataclass(frozen=True, slots=True)
class Link:
    """Something of the shop that can be opened."""

    name: str
    path: str
    title: str
    description: str
    opens: bool = True
    """Whether a browser can open it."""


def start_routes(shop: Shop, schema: ShopSchema) -> list[Route]:
    """The routes of the start page and of the schema."""

    async def show_start(request: Request) -> Response:
        links = list(links_of(shop))
        if prefers_json(request.headers.get("accept", "")):
            facts = {"name": "cartwheel", "version": version("cartwheel")}
            return JSONResponse(facts | {link.name: link.path for link in links}, headers=CACHE)
        return HTMLResponse(render_start(links, shop.settings.server.address), headers=PAGE_HEADERS)

    async def show_schema(request: Request) -> Response:
        if not shop.settings.shows_schema:
            return error_response(Message("This shop does not show its schema."), ErrorCode.NOT_FOUND, 404)
        return add_etag(PlainTextResponse(f"{schema.as_str()}\n", headers=CACHE), request.headers)

    return [Route("/", show_start), Route(SCHEMA_PATH, show_schema)]


def links_of(shop: Shop) -> Iterator[Link]:
    """What a visitor may open; GraphiQL and the schema only where the schema is shown."""
    if shop.settings.shows_schema:
        yield Link("graphql", "/graphql", "GraphiQL", "Try the schema in the browser, with examples as tabs.")
        yield Link("schema", SCHEMA_PATH, "Schema", "Every type and field with its description, as one file.")
    else:
        yield Link("graphql", "/graphql", "GraphQL", "Send operations here by POST.", opens=False)
    yield Link("health", "/healthz", "Health", "Says that the process runs.")
    yield Link("ready", "/readyz", "Readiness", "Says whether the shop can serve.")


def prefers_json(accept: str) -> bool:
    """Whether `Accept` names JSON, and HTML not before it."""
    types = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return "application/json" in types and "text/html" not in types[: types.index("application/json")]


def render_start(links: list[Link], address: str) -> str:
    """The page as HTML."""
    return PAGE.substitute(style=STYLE, links="\n".join(map(render_link, links)), address=escape(address))


def render_link(link: Link) -> str:
    text = f"<strong>{escape(link.title)}</strong><span>{escape(link.description)}</span>"
    return (
        f'<li><a href="{escape(link.path)}">{text}</a></li>' if link.opens else f"<li><div>{text}</div></li>"
    )
