"""GraphiQL at /graphql: the page and all it loads come from this server, so it works with no internet."""

import html
import json
from pathlib import Path
from string import Template

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route

from edge.graphiql.bundle import BUILT, HERE, load_bundle

ASSETS_PATH = "/graphql/assets"
EXAMPLES = HERE / "examples"

MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}
NOSNIFF = {"X-Content-Type-Options": "nosniff"}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
PAGE_HEADERS = {
    **NOSNIFF,
    # GraphiQL's dialogs write a style element, so inline styles are let through; inline scripts never are.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src 'self' data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


class GraphiQL:
    """The page of one folder of built files and one folder of example documents."""

    def __init__(self, *, built: Path = BUILT, examples: Path = EXAMPLES) -> None:
        self._built = built
        self._examples = examples
        self.assets = Mount(ASSETS_PATH, routes=[Route("/{version}/{name}", self.asset)])

    def page(self, request: Request) -> Response:
        """The page; before `make web` it says so and the server runs all the same."""
        bundle = load_bundle(self._built)
        if bundle is None:
            return HTMLResponse((HERE / "not_built.html").read_text("utf-8"), headers=PAGE_HEADERS)
        assets = f"{_path(request)}/assets/{bundle.version}"
        page = Template((HERE / "page.html").read_text("utf-8"))
        text = page.substitute(assets=html.escape(assets), examples=_json_in_html(self.examples()))
        return HTMLResponse(text, headers=PAGE_HEADERS)

    def asset(self, request: Request) -> Response:
        """A listed file; its address changes with its content, so browsers keep it for good."""
        bundle = load_bundle(self._built)
        name = request.path_params["name"]
        if bundle is None or request.path_params["version"] != bundle.version or name not in bundle.files:
            raise HTTPException(404)
        path = bundle.files[name]
        return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers=NOSNIFF | FOREVER)

    def examples(self) -> list[str]:
        """The documents the page opens with, one tab each, in the order of their file names."""
        return [path.read_text("utf-8") for path in sorted(self._examples.glob("*.graphql"))]


def _path(request: Request) -> str:
    """Where the browser asked, with whatever a proxy or an outer application put before it."""
    return str(request.scope["path"]).rstrip("/")


def _json_in_html(documents: list[str]) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(documents).replace("<", "\\u003c")


_shop = GraphiQL()
graphiql_page = _shop.page
graphiql_assets = _shop.assets
