"""GraphiQL at /graphql, with all its files served from here, so that it works without the internet."""

import html
import json
from pathlib import Path
from string import Template

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route

from edge.graphiql.bundle import ASSETS_FOLDER, FOLDER, load_bundle

ASSETS_PATH = "/graphql/assets"
EXAMPLES = FOLDER / "examples"

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
    """Serves the page from a folder of built files, with the example documents of another as its tabs."""

    def __init__(self, *, built: Path = ASSETS_FOLDER, examples: Path = EXAMPLES) -> None:
        self._built = built
        self._examples = examples
        self.assets = Mount(ASSETS_PATH, routes=[Route("/{version}/{name}", self.show_asset)])

    def show_page(self, request: Request) -> Response:
        """The page, or how to build it where `make web` has not run yet."""
        bundle = load_bundle(self._built)
        if bundle is None:
            return HTMLResponse((FOLDER / "not_built.html").read_text("utf-8"), headers=PAGE_HEADERS)
        assets = f"{_path_of(request)}/assets/{bundle.version}"
        page = Template((FOLDER / "page.html").read_text("utf-8"))
        text = page.substitute(assets=html.escape(assets), examples=_encode_for_script(self.read_examples()))
        return HTMLResponse(text, headers=PAGE_HEADERS)

    def show_asset(self, request: Request) -> Response:
        """One file of the page; its address has a version, so that browsers may keep it for a year."""
        bundle = load_bundle(self._built)
        name = request.path_params["name"]
        if bundle is None or request.path_params["version"] != bundle.version or name not in bundle.files:
            raise HTTPException(404)
        path = bundle.files[name]
        return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers=NOSNIFF | FOREVER)

    def read_examples(self) -> list[str]:
        """The documents of the tabs that the page opens with, in the order of their file names."""
        return [path.read_text("utf-8") for path in sorted(self._examples.glob("*.graphql"))]


def _path_of(request: Request) -> str:
    """The path that the browser requested, with the prefix of an outer application."""
    return str(request.scope["path"]).rstrip("/")


def _encode_for_script(documents: list[str]) -> str:
    """JSON that contains no `</script>`."""
    return json.dumps(documents).replace("<", "\\u003c")


_graphiql = GraphiQL()
graphiql_page = _graphiql.show_page
graphiql_assets = _graphiql.assets
