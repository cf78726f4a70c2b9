"""Reading the glossary, the names that there are, and what is wrong with either."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
)

from bench.structure import Module
from tests.documents import root_types

TERM_COLUMNS = "| term | what it is | SDL | code | table | whose word |"
BANNED_COLUMNS = "| word | we say | where | except |"
BANNED_SECTION = "Words we do not use"
NONE = "–"

OF_A_KIND = ("Payload", "Input", "Connection", "Edge")
"""Endings of types that need no entry: they are named after another type or a mutation."""

WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
DOTTED = re.compile(r"[a-z_]+(\.[a-z_]+)+")
"""Names of events, logs and columns in strings: "order.placed"."""
NAMED_PATH = re.compile(r"`([a-z_0-9./-]+(?:/|\.(?:py|md|graphql|toml)))`")


@dataclass(frozen=True, slots=True)
class Term:
    """A row of the glossary."""

    area: str
    term: str
    meaning: str
    sdl: tuple[str, ...]
    code: tuple[str, ...]
    tables: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Ban:
    """A row of the banned words: the words, where they may not stand, and the names that may have them."""

    words: frozenset[str]
    places: frozenset[str]
    exceptions: frozenset[str]


# --- reading the page


def rows_below(text: str, columns: str) -> Iterator[tuple[str, list[str]]]:
    """The cells of each row of all tables with these columns, with the heading each table stands under."""
    heading, is_inside = "", False
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.strip("# ")
        is_inside = line == columns or (is_inside and line.startswith("|"))
        if is_inside and line != columns and not line.startswith("|--"):
            yield heading, [cell.strip() for cell in line.strip().strip("|").split("|")]


def names_in(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def read_terms(text: str) -> list[Term]:
    return [
        Term(area, term, meaning, names_in(sdl), names_in(code), names_in(tables), source)
        for area, (term, meaning, sdl, code, tables, source) in rows_below(text, TERM_COLUMNS)
    ]


def read_bans(text: str) -> list[Ban]:
    return [
        Ban(frozenset(words.split(", ")), frozenset(places.split(", ")), frozenset(names_in(exceptions)))
        for _, (words, _, places, exceptions) in rows_below(text, BANNED_COLUMNS)
    ]


# --- what there is


def sdl_names(schema: GraphQLSchema) -> set[str]:
    """`Type`, `Type.field`, `Type.field(argument:)`, `Enum.MEMBER`; fields of roots by themselves, too."""
    names = set()
    for type_ in own_types(schema):
        names |= {type_.name, *member_names(type_)}
    for root in root_types(schema).values():
        names |= {name.removeprefix(f"{root.name}.") for name in member_names(root)}
    return names


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    return [type_ for name, type_ in schema.type_map.items() if not name.startswith("__")]


def member_names(type_: GraphQLNamedType) -> Iterator[str]:
    if isinstance(type_, GraphQLEnumType):
        yield from (f"{type_.name}.{name}" for name in type_.values)
    if isinstance(type_, GraphQLInputObjectType):
        yield from (f"{type_.name}.{name}" for name in type_.fields)
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            yield f"{type_.name}.{name}"
            yield from (f"{type_.name}.{name}({argument}:)" for argument in field.args)


def types_to_explain(schema: GraphQLSchema) -> set[str]:
    """Types that need an entry: all but scalars, roots and those of a kind."""
    roots = {root.name for root in root_types(schema).values()}
    return {
        type_.name
        for type_ in own_types(schema)
        if not isinstance(type_, GraphQLScalarType | GraphQLInputObjectType)
        and type_.name not in roots
        and not type_.name.endswith(OF_A_KIND)
    }


def code_names(modules: Iterable[Module]) -> set[str]:
    """Paths, top-level names and `Class.member` of some modules."""
    names = set()
    for module in modules:
        names.add(module.path.as_posix())
        names |= {f"{folder.as_posix()}/" for folder in module.path.parents if folder.name}
        names.add(module.name)
        for node in module.tree.body:
            defined = list(names_defined_by(node))
            names |= set(defined)
            if isinstance(node, ast.ClassDef):
                names |= {f"{node.name}.{name}" for child in node.body for name in names_defined_by(child)}
    return names


def names_defined_by(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    if isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def all_names(modules: Iterable[Module]) -> Iterator[tuple[str, str]]:
    """Every name that is given in some modules, with where; titles of tests are sentences and no names."""
    for module in modules:
        path = module.path.as_posix()
        yield from ((path, part) for part in module.path.with_suffix("").parts)
        for node in ast.walk(module.tree):
            if name := name_given_by(node):
                yield path, name


def name_given_by(node: ast.AST) -> str | None:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return None if node.name.startswith("test_") else node.name
        case ast.arg():
            return node.arg
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
        case ast.Constant(value=str() as text) if DOTTED.fullmatch(text):
            return text
    return None


def class_names(modules: Iterable[Module]) -> Iterator[tuple[str, str]]:
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                yield module.path.as_posix(), node.name


# --- what is wrong


def missing_names(named: Iterable[str], known: set[str]) -> list[str]:
    return sorted(set(named) - known)


def wrong_tables(terms: Iterable[Term], models: Mapping[str, str]) -> list[str]:
    """Tables without a row, names of no table, and rows that do not name the model of their table."""
    rows = {table: term for term in terms for table in term.tables}
    return sorted(
        {*rows.keys() ^ models.keys()}
        | {table for table in rows.keys() & models.keys() if models[table] not in rows[table].code}
    )


def repeated_names(terms: Iterable[Term]) -> list[str]:
    """Terms, types of the SDL and tables that stand in two rows: one name is one concept."""
    names = [
        name
        for term in terms
        for name in {
            term.term,
            *term.tables,
            *(name for name in term.sdl if name[0].isupper() and "." not in name),
        }
    ]
    return sorted(name for name, count in Counter(names).items() if count > 1)


def banned_names(names: Iterable[tuple[str, str]], bans: Iterable[Ban]) -> list[str]:
    """The names of which a part is a banned word, with where."""
    words = {word: ban.exceptions for ban in bans for word in ban.words}
    return sorted(
        {
            f"{path}: {name}"
            for path, name in names
            for part in WORD.findall(name)
            if name not in words.get(part.lower(), {name})
        }
    )


def banned_classes(names: Iterable[tuple[str, str]], bans: Iterable[Ban]) -> list[str]:
    words = frozenset[str]().union(*(ban.words for ban in bans))
    return sorted(f"{path}: {name}" for path, name in names if name in words)


def banned_texts(texts: Mapping[str, str], bans: Iterable[Ban]) -> list[str]:
    words = frozenset[str]().union(*(ban.words for ban in bans))
    return sorted(
        f"{path}:{number}: {word}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        for word in words & set(re.findall(r"[a-z]+", line.lower()))
    )


def useless_exceptions(names: Iterable[tuple[str, str]], bans: Iterable[Ban]) -> list[str]:
    excepted = frozenset[str]().union(*(ban.exceptions for ban in bans))
    return sorted(excepted - {name for _, name in names})


def missing_paths(texts: Mapping[str, str], root: Path) -> list[str]:
    """Paths of the project that a text names and that do not exist; `events/{a,b}` is not read."""
    return sorted(
        f"{path}: {named}"
        for path, text in texts.items()
        for named in NAMED_PATH.findall(text)
        if "/" in named and not (root / named).exists()
    )
