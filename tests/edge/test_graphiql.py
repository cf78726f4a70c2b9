"""GraphiQL: the page, its files and its build."""

import json
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse, validate
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from demo.graphiql import EXAMPLES as DEMO_EXAMPLES
from edge.graphiql import EXAMPLES, GraphiQL, PageContent, Person
from edge.graphiql.build import LOCK, CannotBuild, build_page
from edge.graphiql.bundle import FOLDER, MANIFEST, OWN_FILES, PACKAGE_FILES, Bundle, load_bundle
from schema import schema

FAKE_NPM = """
import pathlib
for place in {places!r}:
    path = pathlib.Path("node_modules") / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(place)
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return tmp_path / "assets"


@pytest.fixture
async def browser(built: Path) -> AsyncIterator[httpx.AsyncClient]:
    graphiql = GraphiQL(built=built)
    app = Starlette(routes=[graphiql.assets, Route("/graphql", graphiql.show_page)])
    async with open_browser(app) as client:
        yield client


def open_browser(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop")


def npm(code: str) -> Sequence[str]:
    """A program called instead of npm, with npm's arguments, in the folder to install into."""
    return (sys.executable, "-c", code)


def npm_with(places: Sequence[str]) -> Sequence[str]:
    return npm(FAKE_NPM.format(places=list(places)))


def fail_if_npm_is_needed() -> Sequence[str]:
    raise AssertionError("npm was needed")


def build_assets(built: Path) -> Bundle:
    assert build_page(built, find_npm=lambda: npm_with(list(PACKAGE_FILES.values())))
    bundle = load_bundle(built)
    assert bundle is not None
    return bundle


async def test_a_page_that_is_not_built_says_how_to_build_it(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/graphql")

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<code>make web</code>" in page.text
    assert "<script" not in page.text


async def test_a_built_page_names_every_file_under_its_version(
    browser: httpx.AsyncClient, built: Path
) -> None:
    bundle = build_assets(built)

    page = await browser.get("/graphql")

    named = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert sorted(named) == sorted(
        f"/graphql/assets/{bundle.version}/{name}" for name in [*PACKAGE_FILES, *OWN_FILES]
    )
    assert "<title>Cartwheel</title>" in page.text


async def test_a_page_built_while_the_server_runs_is_served_at_once(
    browser: httpx.AsyncClient, built: Path
) -> None:
    before = await browser.get("/graphql")
    build_assets(built)
    after = await browser.get("/graphql")

    assert "make web" in before.text
    assert "make web" not in after.text


async def test_an_incomplete_build_is_not_served(browser: httpx.AsyncClient, built: Path) -> None:
    build_assets(built)
    (built / "graphiql.min.js").unlink()

    assert "make web" in (await browser.get("/graphql")).text


@pytest.mark.parametrize("text", ["", "[]", "{", '{"lock": "x"}', '{"lock": "x", "files": {}}'])
async def test_a_build_with_a_malformed_manifest_is_not_served(
    browser: httpx.AsyncClient, built: Path, text: str
) -> None:
    build_assets(built)
    (built / MANIFEST).write_text(text)

    assert "make web" in (await browser.get("/graphql")).text


@pytest.mark.parametrize("ready", [False, True])
async def test_the_page_runs_only_its_own_scripts_and_in_no_frame(
    browser: httpx.AsyncClient, built: Path, ready: bool
) -> None:
    if ready:
        build_assets(built)

    page = await browser.get("/graphql")

    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= {*policy}
    assert "frame-ancestors 'none'" in policy
    scripts = re.findall(r"<script([^>]*)>", page.text)
    assert all(' src="/' in script or ' type="application/json"' in script for script in scripts)


async def test_a_file_has_its_content_type_and_may_be_cached_for_a_year(
    browser: httpx.AsyncClient, built: Path
) -> None:
    version = build_assets(built).version

    script = await browser.get(f"/graphql/assets/{version}/graphiql.min.js")
    style = await browser.get(f"/graphql/assets/{version}/page.css")

    assert (script.status_code, script.text) == (200, "graphiql/graphiql.min.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["x-content-type-options"] == "nosniff"
    assert (style.status_code, style.content) == (200, (FOLDER / "page.css").read_bytes())
    assert style.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "{version}/manifest.json",
        "{version}/build.py",
        "{version}/",
        "{version}/..%2f..%2fbuild.py",
        "{version}/%2e%2e/%2e%2e/build.py",
        "{version}/..%5c..%5cbuild.py",
        "{version}/%2fetc%2fpasswd",
        "{version}/graphiql.min.js%00.css",
        "0000000000000000/graphiql.min.js",
    ],
)
async def test_nothing_but_the_listed_files_is_served(
    browser: httpx.AsyncClient, built: Path, path: str
) -> None:
    version = build_assets(built).version

    assert (await browser.get("/graphql/assets/" + path.format(version=version))).status_code == 404


async def test_under_a_prefix_the_page_names_its_files_with_it(built: Path) -> None:
    version = build_assets(built).version
    graphiql = GraphiQL(built=built)
    shop = Starlette(routes=[graphiql.assets, Route("/graphql", graphiql.show_page)])

    async with open_browser(Starlette(routes=[Mount("/shop", shop)])) as browser:
        page = await browser.get("/shop/graphql")
        script = f"/shop/graphql/assets/{version}/page.js"

        assert f'src="{script}"' in page.text
        assert (await browser.get(script)).status_code == 200


async def read_content(graphiql: GraphiQL) -> dict[str, Any]:
    """Return what the page was given to show."""
    async with open_browser(Starlette(routes=[Route("/graphql", graphiql.show_page)])) as browser:
        page = await browser.get("/graphql")
    written = re.search(r'<script type="application/json" id="content">(.*?)</script>', page.text, re.DOTALL)
    assert written is not None
    content: dict[str, Any] = json.loads(written[1])
    return content


async def test_the_page_shows_the_examples_in_the_order_of_their_file_names_and_people(
    built: Path, tmp_path: Path
) -> None:
    build_assets(built)
    second, first = "# Second.\nquery B { b }\n", "# First </script>.\nquery A { a }\n"
    (tmp_path / "02-b.graphql").write_text(second)
    (tmp_path / "01-a.graphql").write_text(first)
    (tmp_path / "notes.txt").write_text("not an example")

    async def find_content() -> PageContent:
        return PageContent(tmp_path, [Person("lin@example.com", "Lin", "open sesame")])

    content = await read_content(GraphiQL(built=built, find_content=find_content, registered_only=True))

    assert content == {
        "examples": [first, second],
        "people": [{"login": "lin@example.com", "name": "Lin", "password": "open sesame"}],
        "registeredOnly": True,
    }


async def test_a_shop_of_ones_own_has_examples_without_people_and_passwords(built: Path) -> None:
    build_assets(built)

    content = await read_content(GraphiQL(built=built))

    assert (content["people"], content["registeredOnly"]) == ([], False)
    assert len(content["examples"]) >= 5
    assert not re.search(r"example\.com|cartwheel-demo|password|\bid: ", "".join(content["examples"]))


@pytest.mark.parametrize(
    "path", sorted([*EXAMPLES.glob("*"), *DEMO_EXAMPLES.glob("*")]), ids=lambda path: path.name
)
def test_an_example_begins_with_a_comment_names_its_operation_and_is_valid(path: Path) -> None:
    text = path.read_text("utf-8")

    assert re.match(r"# \S", text)
    assert all(getattr(definition, "name", None) for definition in parse(text).definitions)
    assert validate(schema._schema, parse(text)) == []


def test_a_second_build_of_the_same_lock_does_nothing(built: Path) -> None:
    build_assets(built)

    assert not build_page(built, find_npm=fail_if_npm_is_needed)


def test_a_damaged_file_is_built_again(built: Path) -> None:
    build_assets(built)
    (built / "graphiql.min.js").write_text("cut sho")

    assert build_page(built, find_npm=lambda: npm_with(list(PACKAGE_FILES.values())))
    assert (built / "graphiql.min.js").read_text() == "graphiql/graphiql.min.js"


def test_a_failed_installation_keeps_the_built_page(built: Path) -> None:
    bundle = build_assets(built)
    manifest = json.loads((built / MANIFEST).read_text())
    (built / MANIFEST).write_text(json.dumps({**manifest, "lock": "of yesterday"}))

    with pytest.raises(CannotBuild, match="npm could not install the locked packages:\n  no network"):
        build_page(built, find_npm=lambda: npm("print('no network'); raise SystemExit(1)"))
    with pytest.raises(CannotBuild, match="The installed packages have no react/umd/"):
        build_page(built, find_npm=lambda: npm_with(list(PACKAGE_FILES.values())[1:]))
    with pytest.raises(CannotBuild, match="npm could not be started"):
        build_page(built, find_npm=lambda: (str(built / "no-such-npm"),))

    assert load_bundle(built) == bundle


def test_the_lock_names_exact_versions_with_digests_and_no_url() -> None:
    lock = LOCK.read_text()
    packages = json.loads(lock)["packages"]
    dependencies = json.loads((FOLDER / "package.json").read_text())["dependencies"]

    assert "://" not in lock
    assert '"resolved"' not in lock
    assert packages[""]["dependencies"] == dependencies
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in dependencies.values())
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)
