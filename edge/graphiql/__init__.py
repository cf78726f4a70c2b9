"""GraphiQL at /graphql, with all its files served from here, so that it works without the internet."""

import html
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
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


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to sign in as by one click, with a password that everybody knows."""

    login: str
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class PageContent:
    """What the page shows: the folder of the documents that stand in its tabs, and people to sign in as."""

    examples: Path = EXAMPLES
    people: Sequence[Person] = field(default_factory=tuple)

    def read_examples(self) -> list[str]:
        """The documents of the tabs that the page opens with, in the order of their file names."""
        return [path.read_text("utf-8") for path in sorted(self.examples.glob("*.graphql"))]


FindContent = Callable[[], Awaitable[PageContent | None]]
"""Finds the content that a shop of its own kind has, or None for the usual one."""


async def find_usual_content() -> None:
    return None


class GraphiQL:
    """Serves the page from a folder of built files."""

    def __init__(
        self,
        *,
        built: Path = ASSETS_FOLDER,
        find_content: FindContent = find_usual_content,
        registered_only: bool = False,
    ) -> None:
        self._built = built
        self._find_content = find_content
        self._registered_only = registered_only
        self.assets = Mount(ASSETS_PATH, routes=[Route("/{version}/{name}", self.show_asset)])

    async def show_page(self, request: Request) -> Response:
        """The page, or how to build it where `make web` has not run yet."""
        bundle = load_bundle(self._built)
        if bundle is None:
            return HTMLResponse((FOLDER / "not_built.html").read_text("utf-8"), headers=PAGE_HEADERS)
        content = await self._find_content() or PageContent()
        shown = {
            "examples": content.read_examples(),
            "people": [asdict(person) for person in content.people],
            "registeredOnly": self._registered_only,
        }
        assets = f"{_path_of(request)}/assets/{bundle.version}"
        page = Template((FOLDER / "page.html").read_text("utf-8"))
        text = page.substitute(assets=html.escape(assets), content=_encode_for_script(shown))
        return HTMLResponse(text, headers=PAGE_HEADERS)

    def show_asset(self, request: Request) -> Response:
        """One file of the page; its address has a version, so that browsers may keep it for a year."""
        bundle = load_bundle(self._built)
        name = request.path_params["name"]
        if bundle is None or request.path_params["version"] != bundle.version or name not in bundle.files:
            raise HTTPException(404)
        path = bundle.files[name]
        return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers=NOSNIFF | FOREVER)


def _path_of(request: Request) -> str:
    """The path that the browser requested, with the prefix of an outer application."""
    return str(request.scope["path"]).rstrip("/")


def _encode_for_script(content: object) -> str:
    """JSON that contains no `</script>`."""
    return json.dumps(content).replace("<", "\\u003c")
