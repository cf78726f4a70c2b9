"""Registered operations: added by a command, known in every process and after restarts."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app import create_app
from edge.operations.documents import MANIFEST_FORMAT, UnreadableOperations, read_operations
from edge.persisted_operations import sha256_of
from settings import Settings
from tests.clients import Clients
from tests.conftest import settings_for
from tests.process import call_cartwheel, process_environment

SHOP = """
query Role { viewer { ...Who } }
query Category($slug: String!) { category(slug: $slug) { id } }
"""
FRAGMENTS = "fragment Who on Viewer { role }"
ROLE = "query Role {\n  viewer {\n    ...Who\n  }\n}\n\nfragment Who on Viewer {\n  role\n}"
REFUSED = "This shop executes registered operations only, and this one is not registered."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "operations"
    folder.mkdir()
    (folder / "shop.graphql").write_text(SHOP)
    (folder / "fragments.graphql").write_text(FRAGMENTS)
    return folder


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, str]:
    return process_environment(database_url, tmp_path)


def codes(reply: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in reply.json().get("errors", [])]


def by_hash(text: str) -> dict[str, object]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(text)}}}


async def test_registered_operations_are_listed_and_written_as_a_manifest(
    env: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    added = await call_cartwheel("operations", "add", str(folder), env=env)
    again = await call_cartwheel("operations", "add", str(folder), env=env)
    manifest = tmp_path / "manifest.json"
    listed = await call_cartwheel("operations", "list", "--manifest", str(manifest), env=env)

    assert (added.returncode, again.returncode, listed.returncode) == (0, 0, 0)
    assert added.stdout == again.stdout == listed.stdout
    assert f"{sha256_of(ROLE)}  query         Role\n" in listed.stdout
    assert "2 new of 2 operations." in added.stderr
    assert "0 new of 2 operations." in again.stderr
    written = json.loads(manifest.read_text())
    assert (written["format"], written["version"]) == (MANIFEST_FORMAT, 1)
    assert written["operations"][1] == {
        "id": sha256_of(ROLE), "name": "Role", "type": "query", "body": ROLE,
    }  # fmt: skip
    assert [each.text for each in read_operations(manifest)] == [
        each.text for each in read_operations(folder)
    ]


DEAR = "products(first: 100) { nodes { media { url } variants { media { url } price { amount } } } }"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query Wrong { viewer { rolle } }", "Wrong: Cannot query field 'rolle' on type 'Viewer'."),
        (f"query Wrong {{ {' '.join(f'a{n}: {DEAR}' for n in range(15))} }}", "Wrong: It costs"),
        (f"query Wrong {{ {' '.join('viewer { role }' for n in range(60))} }}", "Wrong: "),
    ],
    ids=["invalid", "dear", "long"],
)
async def test_one_operation_that_is_never_executed_registers_none(
    env: dict[str, str], folder: Path, text: str, message: str
) -> None:
    (folder / "wrong.graphql").write_text(text)

    added = await call_cartwheel("operations", "add", str(folder), env=env)
    listed = await call_cartwheel("operations", "list", env=env)

    assert added.returncode == 2
    assert message in " ".join(added.stderr.split())
    assert "Nothing was registered." in added.stderr
    assert (listed.returncode, listed.stdout) == (0, "")


async def test_operations_are_removed_by_name_or_hash_all_or_none(env: dict[str, str], folder: Path) -> None:
    await call_cartwheel("operations", "add", str(folder), env=env)

    unknown = await call_cartwheel("operations", "remove", "Category", "Nobody", env=env)
    kept = await call_cartwheel("operations", "list", env=env)
    removed = await call_cartwheel("operations", "remove", "Category", sha256_of(ROLE), env=env)
    listed = await call_cartwheel("operations", "list", env=env)

    assert (unknown.returncode, len(kept.stdout.splitlines())) == (2, 2)
    assert "Not registered: Nobody. Nothing was removed." in unknown.stderr
    assert (removed.returncode, listed.stdout) == (0, "")


def test_what_installed_packages_bring_along_is_not_read(folder: Path) -> None:
    package = folder / "node_modules" / "some-package"
    package.mkdir(parents=True)
    (package / "schema.graphql").write_text("type A { id: ID }")

    assert [each.name for each in read_operations(folder)] == ["Category", "Role"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no operation"),
        ({"a.graphql": "query A {"}, "a.graphql:1: Syntax Error"),
        ({"a.graphql": "{ viewer { role } }"}, "has an operation without a name"),
        ({"a.graphql": "query A { viewer { ...Gone } }"}, "A needs a fragment Gone"),
        (
            {"a.graphql": "query A { cart { id } }", "b.graphql": "query A { cart { id } }"},
            "two operations A",
        ),
        ({"a.graphql": FRAGMENTS, "b.graphql": FRAGMENTS}, "there are two fragments Who"),
        ({"a.graphql": "type A { id: ID }"}, "defines something else"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(UnreadableOperations, match=message):
        read_operations(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is no manifest"),
        ("{", "is no manifest"),
        ('{"format": "x", "version": 1, "operations": []}', "is not version 1 of"),
        ('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [1]}', "is no manifest"),
        (
            '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": '
            '[{"id": "abc", "name": "A", "type": "query", "body": "query A { cart { id } }"}]}',
            "the id of A is not the SHA-256 of its body",
        ),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(UnreadableOperations, match=message):
        read_operations(tmp_path / "manifest.json")


async def test_a_registered_operation_is_known_by_its_hash_in_a_process_that_never_got_it(
    env: dict[str, str], folder: Path, clients: Clients
) -> None:
    before = await clients.http.post("/graphql", json=by_hash(SHOP))
    await call_cartwheel("operations", "add", str(folder), env=env)
    reply = await clients.http.post("/graphql", json=by_hash(ROLE))

    assert codes(before) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert reply.json()["data"] == {"viewer": {"role": "GUEST"}}


@pytest.fixture
async def closed(settings: Settings, database_url: str, tmp_path: Path) -> AsyncIterator[Clients]:
    """A shop that executes registered operations only."""
    app = create_app(settings_for(database_url, tmp_path, persisted_only=True))
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        yield clients


async def test_a_shop_for_registered_operations_refuses_all_others(
    env: dict[str, str], folder: Path, closed: Clients
) -> None:
    await call_cartwheel("operations", "add", str(folder), env=env)
    stranger = "query Role { viewer { role } }"

    refused = [
        await closed.http.post("/graphql", json={"query": stranger}),
        await closed.http.get("/graphql", params={"query": stranger}),
        await closed.http.post("/graphql", json=by_hash(stranger)),
        await closed.http.post("/graphql", json={"query": stranger} | by_hash(stranger)),
        await closed.http.post("/graphql", json=by_hash(stranger)),
    ]
    executed = [
        await closed.http.post("/graphql", json=by_hash(ROLE)),
        await closed.http.post("/graphql", json={"query": ROLE}),
        await closed.http.get("/graphql", params={"extensions": json.dumps(by_hash(ROLE)["extensions"])}),
    ]

    assert {(reply.status_code, *codes(reply)) for reply in refused} == {(403, "OPERATION_NOT_REGISTERED")}
    assert refused[0].json()["errors"][0]["message"] == REFUSED
    assert [reply.json()["data"] for reply in executed] == [{"viewer": {"role": "GUEST"}}] * 3


async def test_no_stream_executes_what_is_not_registered(
    env: dict[str, str], folder: Path, closed: Clients
) -> None:
    (folder / "cart.graphql").write_text("subscription Cart { cartUpdates { version } }")
    await call_cartwheel("operations", "add", str(folder), env=env)
    stranger = "subscription Cart { cartUpdates { name } }"
    accept = {"Accept": "text/event-stream"}

    async with closed.guest().watch(stranger) as watch:
        by_socket = (await watch.answer())["errors"][0]["extensions"]["code"]
    async with closed.guest().watch(ROLE) as watch:
        allowed = await watch.answer()
    by_stream = await closed.http.post("/graphql", json={"query": stranger}, headers=accept)

    assert by_socket == "OPERATION_NOT_REGISTERED"
    assert allowed == {"data": {"viewer": {"role": "GUEST"}}}
    assert "OPERATION_NOT_REGISTERED" in by_stream.text
    assert "next" not in by_stream.text


async def test_a_registered_text_sent_with_the_hash_of_another_is_refused(
    env: dict[str, str], folder: Path, closed: Clients
) -> None:
    await call_cartwheel("operations", "add", str(folder), env=env)

    reply = await closed.http.post("/graphql", json={"query": "{ cart { id } }"} | by_hash(ROLE))

    assert (reply.status_code, codes(reply)) == (400, ["PERSISTED_QUERY_INVALID"])


async def test_a_removed_operation_is_refused_once_the_process_reads_anew(
    env: dict[str, str], folder: Path, closed: Clients
) -> None:
    await call_cartwheel("operations", "add", str(folder), env=env)
    first = await closed.http.post("/graphql", json=by_hash(ROLE))
    await call_cartwheel("operations", "remove", "Role", env=env)

    remembered = await closed.http.post("/graphql", json=by_hash(ROLE))
    closed.app.state.registered.seconds = lambda: float("inf")
    forgotten = await closed.http.post("/graphql", json=by_hash(ROLE))

    assert (first.status_code, remembered.status_code) == (200, 200)
    assert codes(forgotten) == ["OPERATION_NOT_REGISTERED"]


async def test_strangers_cannot_fill_the_memory_with_hashes(closed: Clients) -> None:
    registered = closed.app.state.registered
    for number in range(50):
        await closed.http.post("/graphql", json=by_hash(f"{{ a{number} }}"))

    assert len(registered.remembered) == 50
    registered.limit = 10
    await registered.find(sha256_of("one more"))
    assert len(registered.remembered) == 10
