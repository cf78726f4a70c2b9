"""attributes.json and categories.json: attributes with their values, and which category has which."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import orjson

from domain.catalog.attributes import CODE
from domain.catalog.interchange.problems import Problems
from domain.catalog.taxonomy.text import decoded, name_of, wrong_name

Raw = Mapping[str, object]
Placed = tuple[str, Raw]
"""An object and its place in the document, such as attributes[3].values[0]."""

ATTRIBUTE = "gid://shopify/TaxonomyAttribute/"
VALUE = "gid://shopify/TaxonomyValue/"
CATEGORY = "gid://shopify/TaxonomyCategory/"

_KEY = re.compile(r"[a-z0-9]+(?:-[0-9]+)*")
_ID = re.compile(rb'"(gid://[^"\s]+)"')


class Document:
    """One JSON file, which knows where to complain."""

    def __init__(self, name: str, data: bytes | None) -> None:
        self.problems = Problems(name)
        self.data = data or b""
        self.root = self._parsed(decoded(data, self.problems))
        self.version = str(self.root.get("version") or "")
        if not (self.version or self.problems.found):
            self.refuse("version", "is missing")

    def _parsed(self, text: str) -> Raw:
        if not text:
            return {}
        try:
            root = orjson.loads(text)
        except orjson.JSONDecodeError as wrong:
            self.problems.add(wrong.lineno, "", f"not JSON: {wrong.msg}")
            return {}
        if isinstance(root, dict):
            return root
        self.problems.add(1, "", "not a JSON object")
        return {}

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """The last line on which each id stands."""
        rows = enumerate(self.data.split(b"\n"), start=1)
        return {id.decode(): number for number, row in rows for id in _ID.findall(row)}

    def refuse(self, place: str, reason: str, *, id: str = "") -> None:
        self.problems.add(self.lines.get(id, 0), place, reason)

    def listed(self, raw: Raw, key: str, above: str = "") -> Iterator[Placed]:
        """The objects of a list; everything else in it is refused."""
        place = f"{above}.{key}" if above else key
        rows = raw.get(key)
        if not isinstance(rows, list):
            self.refuse(place, "is not a list")
            return
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                yield f"{place}[{number}]", row
            else:
                self.refuse(f"{place}[{number}]", "is not an object")

    def key(self, placed: Placed, kind: str) -> str:
        """The end of an object's id; "" and a problem when that is none."""
        place, raw = placed
        id = raw.get("id")
        if isinstance(id, str) and id.startswith(kind) and _KEY.fullmatch(id.removeprefix(kind)):
            return id.removeprefix(kind)
        self.refuse(f"{place}.id", f"is not {kind} and what names it")
        return ""


@dataclass(slots=True)
class Entry:
    """An attribute or one of its values."""

    kind: str
    key: str
    code: str
    name: str
    place: str
    values: list["Entry"] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.kind}{self.key}"


def read_attributes(document: Document) -> list[Entry]:
    entries = []
    for place, raw in document.listed(document.root, "attributes") if document.root else ():
        if entry := _entry(document, (place, raw), ATTRIBUTE):
            entries.append(entry)
            values = document.listed(raw, "values", place)
            entry.values = [value for each in values if (value := _entry(document, each, VALUE))]
            _once(document, entry.values, lambda each: each.code)
    _once(document, entries, lambda each: each.id)
    _once(document, entries, lambda each: each.code)
    _once(document, [value for entry in entries for value in entry.values], lambda each: each.id)
    return entries


def read_links(document: Document) -> dict[str, tuple[str, ...]]:
    """The attributes of each category, those of the categories above it included."""
    links = {}
    for place, raw in document.listed(document.root, "verticals") if document.root else ():
        for category in document.listed(raw, "categories", place):
            attributes = document.listed(category[1], "attributes", category[0])
            keys = tuple(dict.fromkeys(document.key(each, ATTRIBUTE) for each in attributes))
            links[document.key(category, CATEGORY)] = keys
    return links


def _entry(document: Document, placed: Placed, kind: str) -> Entry | None:
    """The code of a value stands at the end of its handle: colour__red."""
    place, raw = placed
    key, name, handle = document.key(placed, kind), name_of(raw.get("name")), raw.get("handle")
    code = handle.rpartition("__")[2] if isinstance(handle, str) else ""
    reason = wrong_name(name) or ("" if CODE.fullmatch(code) else "has no handle that is a code")
    if reason:
        document.refuse(place, reason, id=str(raw.get("id")))
    if reason or not key:
        return None
    return Entry(kind, key, code, name, place)


def _once(document: Document, entries: Iterable[Entry], by: Callable[[Entry], str]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if by(entry) in seen:
            document.refuse(entry.place, f"{by(entry)} stands here twice", id=entry.id)
        seen.add(by(entry))
