"""Reading attributes.json and categories.json: attributes, their values and the attributes of categories."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import orjson

from domain.catalog.problems import ProblemList
from domain.catalog.taxonomy.attributes import CODE
from domain.catalog.taxonomy.standard.text import decode_text, name_problem, normalize_name

JsonObject = Mapping[str, object]
PlacedObject = tuple[str, JsonObject]
"""The place of an object in the document, such as "attributes[3].values[0]", and the object."""

ATTRIBUTE = "gid://shopify/TaxonomyAttribute/"
VALUE = "gid://shopify/TaxonomyValue/"
CATEGORY = "gid://shopify/TaxonomyCategory/"

_KEY = re.compile(r"[a-z0-9]+(?:-[0-9]+)*")
_ID = re.compile(rb'"(gid://[^"\s]+)"')


class JsonDocument:
    """One JSON file and the list of its problems."""

    def __init__(self, name: str, data: bytes | None) -> None:
        self.problems = ProblemList(name)
        self.data = data or b""
        self.root = self._parse_root(decode_text(data, self.problems))
        self.version = str(self.root.get("version") or "")
        if not (self.version or self.problems.found):
            self.refuse("version", "is missing")

    def _parse_root(self, text: str) -> JsonObject:
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
    def lines_by_id(self) -> Mapping[str, int]:
        """The last line on which each id is written."""
        rows = enumerate(self.data.split(b"\n"), start=1)
        return {id.decode(): number for number, row in rows for id in _ID.findall(row)}

    def refuse(self, place: str, reason: str, *, id: str = "") -> None:
        self.problems.add(self.lines_by_id.get(id, 0), place, reason)

    def objects_of(self, raw: JsonObject, key: str, above: str = "") -> Iterator[PlacedObject]:
        """The objects in a list, with their places; anything else in it is a problem."""
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

    def key_of(self, placed: PlacedObject, kind: str) -> str:
        """The part of an object's id behind its kind; "" and a problem when it has none."""
        place, raw = placed
        id = raw.get("id")
        if isinstance(id, str) and id.startswith(kind) and _KEY.fullmatch(id.removeprefix(kind)):
            return id.removeprefix(kind)
        self.refuse(f"{place}.id", f"is not {kind} and what names it")
        return ""


@dataclass(slots=True)
class VocabularyEntry:
    """An attribute with its values, or one of the values."""

    kind: str
    key: str
    code: str
    name: str
    place: str
    values: list["VocabularyEntry"] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.kind}{self.key}"


def read_attributes(document: JsonDocument) -> list[VocabularyEntry]:
    """The attributes of a document with their values; what is wrong is added to its problems."""
    entries = []
    for place, raw in document.objects_of(document.root, "attributes") if document.root else ():
        if entry := _parse_entry(document, (place, raw), ATTRIBUTE):
            entries.append(entry)
            values = document.objects_of(raw, "values", place)
            entry.values = [value for each in values if (value := _parse_entry(document, each, VALUE))]
            _refuse_repeated(document, entry.values, lambda each: each.code)
    _refuse_repeated(document, entries, lambda each: each.id)
    _refuse_repeated(document, entries, lambda each: each.code)
    _refuse_repeated(document, [value for entry in entries for value in entry.values], lambda each: each.id)
    return entries


def read_links(document: JsonDocument) -> dict[str, tuple[str, ...]]:
    """The keys of the attributes of each category, inherited ones included, by the id of the category."""
    links = {}
    for place, raw in document.objects_of(document.root, "verticals") if document.root else ():
        for category in document.objects_of(raw, "categories", place):
            attributes = document.objects_of(category[1], "attributes", category[0])
            keys = tuple(dict.fromkeys(document.key_of(each, ATTRIBUTE) for each in attributes))
            links[document.key_of(category, CATEGORY)] = keys
    return links


def _parse_entry(document: JsonDocument, placed: PlacedObject, kind: str) -> VocabularyEntry | None:
    """One entry; None and a problem when it is wrong. Its code is the end of its handle: colour__red."""
    place, raw = placed
    key, name, handle = document.key_of(placed, kind), normalize_name(raw.get("name")), raw.get("handle")
    code = handle.rpartition("__")[2] if isinstance(handle, str) else ""
    reason = name_problem(name) or ("" if CODE.fullmatch(code) else "has no handle that is a code")
    if reason:
        document.refuse(place, reason, id=str(raw.get("id")))
    if reason or not key:
        return None
    return VocabularyEntry(kind, key, code, name, place)


def _refuse_repeated(
    document: JsonDocument, entries: Iterable[VocabularyEntry], by: Callable[[VocabularyEntry], str]
) -> None:
    seen: set[str] = set()
    for entry in entries:
        if by(entry) in seen:
            document.refuse(entry.place, f"{by(entry)} stands here twice", id=entry.id)
        seen.add(by(entry))
