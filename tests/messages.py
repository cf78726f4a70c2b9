"""The messages that the code has, read from its syntax, and the catalogue as its files have it.

`python -m tests.messages` brings the files up to date: what is new is added without a text, what nothing
uses is removed, and all is sorted, so that two branches seldom touch the same place.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import normalize, read_po
from graphql import GraphQLNamedType, GraphQLObjectType

import models
from bench.structure import Module, read_modules
from domain.errors import thing_named
from events.notices.texts import BODY, TITLE, VARIANTS
from text.messages.catalogue import FOLDER, LANGUAGES, SOURCE_LANGUAGE, first_form
from text.messages.facts import DAY, MOMENT, MONEY

ROOT = Path(__file__).parents[1]
FREE = frozenset({"bench", "demo", "tests", "migrations"})

HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: {language}\\n"
"Plural-Forms: {plural_forms}\\n"
"""

PLACEHOLDER = re.compile(r"{(\w*)}")
KEY = re.compile(r"[A-Z]\w*\.\w+")
"""A message that has a text in every language, English too: "OrderStatus.PENDING"."""

MESSAGE_CLASSES = frozenset({"Message", "WrongText"})
BASE_REFUSAL = "DomainError"
TEMPLATE_NAMES = ("template", "thing")
"""What the argument is called that is looked up in the catalogue."""


@dataclass(frozen=True, slots=True)
class Use:
    """A place of the code that makes a message."""

    place: str
    template: str
    plural: str
    facts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """What the code has."""

    uses: tuple[Use, ...]
    composed: tuple[str, ...]
    """Places where a template is put together, so that no catalogue can have it."""


@cache
def find_messages() -> Found:
    """The messages of the whole code."""
    return read_messages(read_modules(ROOT, without=FREE))


def read_messages(modules: Sequence[Module]) -> Found:
    """The messages that the modules make, and where they put a template together."""
    refusals = template_positions(modules)
    uses: list[Use] = []
    composed: list[str] = []
    for module in modules:
        for call in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call)):
            place = f"{module.path}:{call.lineno}"
            template = template_of(call, refusals, module)
            if template is None:
                continue
            templates = [template, *assigned_values(template, call, module)]
            texts = [text for each in templates for text in literals_of(each)]
            if any(map(is_composed, templates)):
                composed.append(place)
            keywords = {each.arg: each.value for each in call.keywords if each.arg}
            plurals = list(literals_of(keywords["plural"])) if "plural" in keywords else [""]
            facts = frozenset(keywords) - {"field", "plural", "retry_after_seconds"}
            uses += [Use(place, text, plurals[0], facts) for text in texts]
    return Found(tuple(uses), tuple(composed))


def template_positions(modules: Iterable[Module]) -> Mapping[str, int | None]:
    """DomainError and all its subclasses, with the position of their template; None without."""
    classes = [node for module in modules for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]
    positions: dict[str, int | None] = {BASE_REFUSAL: 0}
    while more := [each for each in classes if each.name not in positions and base_in(each, positions)]:
        positions |= {each.name: template_position(each, positions) for each in more}
    return positions


def base_in(node: ast.ClassDef, names: Mapping[str, int | None]) -> str | None:
    return next((base.id for base in node.bases if isinstance(base, ast.Name) and base.id in names), None)


def template_position(node: ast.ClassDef, known: Mapping[str, int | None]) -> int | None:
    """The position in the class's own signature, else in that of its base."""
    own = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    if not own:
        return known[base_in(node, known) or BASE_REFUSAL]
    names = [each.arg for each in (*own[0].args.posonlyargs, *own[0].args.args)]
    return next((names.index(name) - 1 for name in TEMPLATE_NAMES if name in names), None)


def template_of(call: ast.Call, refusals: Mapping[str, int | None], module: Module) -> ast.expr | None:
    """The argument of a call that is the template of a message; None for any other call."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in MESSAGE_CLASSES or is_super_of_refusal(call, refusals, module):
        position: int | None = 0
    else:
        position = refusals.get(name)
    return call.args[position] if position is not None and len(call.args) > position else None


def is_super_of_refusal(call: ast.Call, refusals: Mapping[str, int | None], module: Module) -> bool:
    """Whether the call is `super().__init__(...)` in a refusal."""
    if ast.unparse(call.func) != "super().__init__":
        return False
    return any(
        isinstance(node, ast.ClassDef)
        and node.name in refusals
        and node.lineno <= call.lineno <= (node.end_lineno or 0)
        for node in ast.walk(module.tree)
    )


def literals_of(template: ast.expr) -> Iterator[str]:
    """The texts that a template may be: a literal, or one of two by a condition."""
    match template:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=otherwise):
            yield from literals_of(body)
            yield from literals_of(otherwise)


def assigned_values(template: ast.expr, call: ast.Call, module: Module) -> Iterator[ast.expr]:
    """What a variable may be that is the template, in the function that the call is in."""
    if not isinstance(template, ast.Name):
        return
    for function in ast.walk(module.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not function.lineno <= call.lineno <= (function.end_lineno or 0):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and [ast.unparse(each) for each in node.targets] == [template.id]:
                yield node.value


def is_composed(template: ast.expr) -> bool:
    """Whether a text is made on the spot; a name or an attribute holds a message that stands elsewhere."""
    match template:
        case ast.JoinedStr() | ast.BinOp():
            return True
        case ast.IfExp(body=body, orelse=otherwise):
            return is_composed(body) or is_composed(otherwise)
        case ast.Call(func=function):
            return ast.unparse(function) == "str" or ast.unparse(function).endswith((".format", ".join"))
    return False


def term_templates() -> set[str]:
    """The terms for the types of things that have a global id or a status."""
    from schema import schema  # after the settings of the tests

    nodes = {name for name, each in schema._schema.type_map.items() if is_node(each)}
    rows = {
        mapper.class_.__name__
        for mapper in models.Base.registry.mappers
        if "status" in mapper.columns or "version" in mapper.columns
    }
    return {thing_named(name).template for name in nodes | rows}


def is_node(kind: GraphQLNamedType) -> bool:
    return isinstance(kind, GraphQLObjectType) and any(each.name == "Node" for each in kind.interfaces)


def statuses() -> list[type[StrEnum]]:
    """The enums of the tables that say where something stands."""
    found = (getattr(models, name) for name in dir(models) if name.endswith("Status"))
    return [each for each in found if isinstance(each, type) and issubclass(each, StrEnum)]


def expected_keys() -> set[str]:
    """The keys that every language has a text for."""
    named: list[type[StrEnum]] = [*statuses(), models.TicketReason]
    notices = {
        f"{name}.{part}"
        for name in [*(kind.value for kind in models.NoticeKind), *VARIANTS]
        for part in (TITLE, BODY)
    }
    return (
        notices
        | {f"{each.__name__}.{member.name}" for each in named for member in each}
        | {MONEY, MOMENT, DAY}
    )


# --- the files


def read_entries(language: str) -> dict[str, Entry]:
    """The messages of a file by the first form of their ids."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return {first_form(each.id): each for each in read_po(file, locale=language) if each.id}


def update_catalogue() -> None:
    """Write all files anew."""
    sentences = {use.template: use.plural for use in find_messages().uses} | dict.fromkeys(
        term_templates(), ""
    )
    for language in LANGUAGES:
        expected = dict.fromkeys(expected_keys(), "") | ({} if language == SOURCE_LANGUAGE else sentences)
        write_file(language, expected, read_entries(language))


def write_file(language: str, expected: Mapping[str, str], known: Mapping[str, Entry]) -> None:
    """Write the file of a language: templates with their plurals, in the words it has already."""
    forms = Catalog(locale=language)
    lines = [HEADER.format(language=language, plural_forms=forms.plural_forms)]
    for template, plural in sorted(expected.items()):
        texts = texts_of(known.get(template))
        lines.append(f"msgid {normalize(template, width=0)}")
        if plural:
            lines.append(f"msgid_plural {normalize(plural, width=0)}")
            texts = (texts * forms.num_plurals)[: forms.num_plurals]
            lines += [f"msgstr[{place}] {normalize(text, width=0)}" for place, text in enumerate(texts)]
        else:
            lines.append(f"msgstr {normalize(texts[0], width=0)}")
        lines.append("")
    (FOLDER / f"{language}.po").write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")


def texts_of(entry: Entry | None) -> tuple[str, ...]:
    if entry is None or not entry.string:
        return ("",)
    return (entry.string,) if isinstance(entry.string, str) else tuple(entry.string)


if __name__ == "__main__":
    update_catalogue()
