"""OpenSearch over HTTP: indexes, aliases, documents, searches, and faults when told to."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bench.provider_servers.opensearch.index import K1_FACTOR, EngineIndex, matching, read_field
from bench.provider_servers.opensearch.problems import Problem, bad_request, unknown_index
from bench.provider_servers.opensearch.search import Search

VERSION = "3.1.0"
SLOW_SECONDS = 30.0
LEGACY_TYPES = {"LegacyBM25"}
SETTINGS = {"number_of_shards", "auto_expand_replicas", "refresh_interval", "similarity"}


@dataclass
class Server:
    """One cluster of one machine."""

    indexes: dict[str, EngineIndex] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Part of a path, and what goes wrong with the next call to it: "slow", "broken", or a status."""
    refused_items: list[int] = field(default_factory=list)
    """Statuses of the next items of bulk calls."""
    credentials: str = ""
    """"name:password" that every call needs."""
    version: str = VERSION
    calls: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """Whatever is asked: the routes of OpenSearch are made of names of indexes."""
        path = request.url.path
        self.calls.append(f"{request.method} {path}")
        if fault := await self.meet(path):
            return fault
        if self.credentials and request.headers.get("authorization") != basic(self.credentials):
            return PlainTextResponse("Unauthorized", 401)
        try:
            status, found = self.route(request, await request.body())
        except Problem as problem:
            return JSONResponse(problem.body, problem.status)
        if paths := request.query_params.get("filter_path"):
            found = keep_paths(found, [each.split(".") for each in paths.split(",")])
        return JSONResponse(found, status)

    def route(self, request: Request, content: bytes) -> tuple[int, dict[str, Any]]:
        method, parts = request.method, request.url.path.strip("/").split("/")
        parameters = dict(request.query_params)
        match method, *parts:
            case "GET", "":
                return 200, {"name": "node-1", "version": self.describe_version()}
            case "POST", "_aliases":
                return 200, self.change_aliases(json.loads(content)["actions"])
            case "GET", "_alias", alias:
                return self.find_alias(alias)
            case "GET", pattern, "_alias":
                names = matching(iter(self.indexes), pattern)
                return 200, {name: self.describe_aliases(name) for name in names}
            case "PUT", name:
                return 200, self.create(name, json.loads(content))
            case "DELETE", name:
                return 200, self.delete(name)
            case "POST", name, "_refresh":
                self.resolve(name).refresh()
                return 200, {"_shards": {"total": 1, "successful": 1, "failed": 0}}
            case "POST", name, "_search":
                return 200, Search(self.resolve(name)).run(json.loads(content))
            case "POST", name, "_bulk":
                return 200, self.write_bulk(name, content, parameters)
            case "GET", name, "_doc", id:
                return self.read_document(self.resolve(name), id)
            case "PUT", name, "_doc", id:
                index = self.resolve_for_write(name, parameters)
                status, stored = index.put(id, json.loads(content), parameters)
                return status, {"_id": id, "_seq_no": stored.sequence, "_primary_term": 1}
        raise bad_request(f"no handler found for {method} {request.url.path}")

    def describe_version(self) -> dict[str, str]:
        return {"distribution": "opensearch", "number": self.version}

    # --- indexes and aliases

    def resolve(self, name: str) -> EngineIndex:
        """The one index of this name or alias."""
        if name in self.indexes:
            return self.indexes[name]
        found = [each for each in self.indexes.values() if name in each.aliases]
        if not found:
            raise unknown_index(name)
        if len(found) > 1:
            raise Problem(400, "illegal_argument_exception", f"alias [{name}] has more than one index")
        return found[0]

    def resolve_for_write(self, name: str, parameters: Mapping[str, str]) -> EngineIndex:
        """As `resolve`; an index that is missing is made, as OpenSearch does."""
        is_known = name in self.indexes or any(name in each.aliases for each in self.indexes.values())
        if is_known:
            return self.resolve(name)
        if parameters.get("require_alias") == "true":
            raise Problem(404, "index_not_found_exception", "[require_alias] is true, and there is no alias")
        self.indexes[name] = EngineIndex(name)
        return self.indexes[name]

    def create(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if name != name.lower() or name.startswith(("_", "-", "+")):
            raise Problem(400, "invalid_index_name_exception", f"Invalid index name [{name}]")
        if name in self.indexes:
            raise Problem(400, "resource_already_exists_exception", f"index [{name}] already exists")
        settings = body.get("settings", {}).get("index", {})
        if unknown := set(settings) - SETTINGS:
            raise Problem(400, "illegal_argument_exception", f"unknown setting {sorted(unknown)}")
        mappings = body.get("mappings", {})
        self.indexes[name] = EngineIndex(
            name,
            {each: read_field(options) for each, options in mappings.get("properties", {}).items()},
            mappings.get("dynamic") == "strict",
            self.factor_of(settings.get("similarity", {}).get("default", {}).get("type", "BM25")),
            set(body.get("aliases", {})),
        )
        return {"acknowledged": True, "index": name}

    def factor_of(self, similarity: str) -> float:
        """BM25 has no constant factor since version 3; LegacyBM25 is not known before."""
        is_new = int(self.version.partition(".")[0]) >= 3
        if similarity not in {"BM25", *(LEGACY_TYPES if is_new else ())}:
            raise Problem(400, "illegal_argument_exception", f"Unknown Similarity type [{similarity}]")
        return 1.0 if is_new and similarity == "BM25" else K1_FACTOR

    def delete(self, name: str) -> dict[str, Any]:
        if name not in self.indexes:
            raise unknown_index(name)
        del self.indexes[name]
        return {"acknowledged": True}

    def change_aliases(self, actions: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
        """All of the actions, or none."""
        for action in actions:
            ((kind, terms),) = action.items()
            if terms["index"] not in self.indexes:
                raise unknown_index(terms["index"])
            if kind == "remove" and terms["alias"] not in self.indexes[terms["index"]].aliases:
                raise Problem(404, "aliases_not_found_exception", "aliases missing")
        for action in actions:
            ((kind, terms),) = action.items()
            aliases = self.indexes[terms["index"]].aliases
            aliases.add(terms["alias"]) if kind == "add" else aliases.discard(terms["alias"])
        return {"acknowledged": True}

    def find_alias(self, alias: str) -> tuple[int, dict[str, Any]]:
        names = [name for name, each in self.indexes.items() if alias in each.aliases]
        if not names:
            return 404, {"error": f"alias [{alias}] missing", "status": 404}
        return 200, {name: {"aliases": {alias: {}}} for name in names}

    def describe_aliases(self, name: str) -> dict[str, Any]:
        return {"aliases": {each: {} for each in self.indexes[name].aliases}}

    # --- documents

    def read_document(self, index: EngineIndex, id: str) -> tuple[int, dict[str, Any]]:
        stored = index.documents.get(id)
        if stored is None:
            return 404, {"_index": index.name, "_id": id, "found": False}
        return 200, {
            "_index": index.name,
            "_id": id,
            "_version": stored.version,
            "_seq_no": stored.sequence,
            "_primary_term": 1,
            "found": True,
            "_source": stored.source,
        }

    def write_bulk(self, name: str, content: bytes, parameters: Mapping[str, str]) -> dict[str, Any]:
        if not content.endswith(b"\n"):
            raise bad_request("The bulk request must be terminated by a newline")
        lines = iter(content.splitlines())
        items = []
        for line in lines:
            ((kind, terms),) = json.loads(line).items()
            options = {key: str(value) for key, value in terms.items() if key != "_id"} | dict(parameters)
            source = json.loads(next(lines)) if kind == "index" else None
            items.append(
                {kind: {"_id": terms["_id"], **self.write_item(name, terms["_id"], source, options)}}
            )
        errors = any("error" in item for each in items for item in each.values())
        return {"took": 1, "errors": errors, "items": items}

    def write_item(
        self, name: str, id: str, source: dict[str, Any] | None, options: Mapping[str, str]
    ) -> dict[str, Any]:
        try:
            if self.refused_items and (status := self.refused_items.pop(0)) != 200:
                raise Problem(status, "rejected_execution_exception" if status == 429 else "other_exception")
            index = self.resolve_for_write(name, options)
            status = index.remove(id, options) if source is None else index.put(id, source, options)[0]
        except Problem as problem:
            return {"status": problem.status, "error": {"type": problem.kind, "reason": problem.reason}}
        return {"status": status}

    # --- faults

    async def meet(self, path: str) -> Response | None:
        found = next((each for each in self.faults if each[0] in path), None)
        if found is None:
            return None
        self.faults.remove(found)
        fault = found[1]
        if fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
            return PlainTextResponse("", 504)
        if fault == "broken":
            return PlainTextResponse("<html>")
        return JSONResponse({"error": {"type": "circuit_breaking_exception"}}, int(fault))

    async def control(self, request: Request) -> Response:
        """POST /control/{what}: what a test wants to go wrong, or to know."""
        what, given = request.path_params["what"], await request.json()
        if what == "fault":
            self.faults += [(given["path"], given["fault"])] * given.get("times", 1)
        elif what == "items":
            self.refused_items += given["statuses"]
        elif what == "credentials":
            self.credentials = given["credentials"]
        elif what == "version":
            self.version = given["version"]
        elif what == "lose":
            self.indexes.clear()
        elif what == "reset":
            self.__init__()  # type: ignore[misc]
        calls, self.calls = self.calls, []
        indexes = {name: sorted(each.aliases) for name, each in self.indexes.items()}
        return JSONResponse({"indexes": indexes, "calls": calls, "faults": self.faults})


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def keep_paths(value: Any, paths: list[list[str]]) -> Any:
    """Only what one of the paths leads to; `*` stands for any name, lists are passed through."""
    if isinstance(value, list):
        return [kept for each in value if (kept := keep_paths(each, paths)) not in ({}, None)]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, each in value.items():
        below = [path[1:] for path in paths if path[0] in {name, "*"}]
        if not below:
            continue
        found[name] = each if any(not path for path in below) else keep_paths(each, below)
    return found


def create_server() -> Starlette:
    server = Server()
    return Starlette(
        routes=[
            Route("/control/{what}", server.control, methods=["POST"]),
            Route("/{path:path}", server.answer, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )
