"""Rules of the code that its source shows, beside those import-linter keeps (pyproject.toml)."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.structure import (
    Figures,
    Module,
    base_of,
    measure_structure,
    parse_module,
    read_modules,
)

ROOT = Path(__file__).parents[1]
FREE = frozenset({"bench", "demo", "tests"})

SQL = {"select", "insert", "update", "delete", "text"}
SQL_ROOMS = {"domain", "loaders", "migrations", "models"}
SQL_ELSEWHERE = {"gateways/payment/sandbox/provider.py": "the sandbox provider keeps books of its own"}

ANY_ROOMS = ("models/sql/", "migrations/")
ANY_ELSEWHERE = {
    "domain/events/types.py": "facts of events become JSON and are read back by their type hints",
    "edge/commands/ask.py": "answers to documents of users are JSON of any shape",
    "events/types.py": "the tables of jobs and reactions hold those for rows and events of any class",
    "loaders/base.py": "loaders are declared for any model and any key",
    "loaders/combined.py": "rows are of any classes, and parameters of any types",
    "loaders/page.py": "lists are sorted by columns of any type, and cursors come from clients",
    "models/base.py": "a column may hold any JSON",
    "resolvers/context.py": "batched fields are functions of rows of any class",
    "schema/mutation.py": "inputs and payloads are made from the signatures of resolvers",
    "schema/page_arguments.py": "resolvers of lists of any rows get the arguments of a page",
    "schema/rows.py": "GraphQL types are tied to rows of any class",
    "text/query_plan.py": "plans are read from cursors, which come from clients",
}

CLASSES_TWICE_LIMIT = 3
PARTICIPLES_PERCENT, ONE_WORD_PERCENT = 1.0, 20.0


def sql_imports(module: Module) -> Iterator[str]:
    """What a module imports of SQLAlchemy to write statements with, or the package as a whole."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and base_of(module, node).partition(".")[0] == "sqlalchemy":
            yield from (each.name for each in node.names if each.name in SQL)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.partition(".")[0] == "sqlalchemy")


def names_any(module: Module) -> bool:
    """Whether a module imports `Any`, or the package it is in."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import) and any(each.name == "typing" for each in node.names):
            return True
        if not isinstance(node, ast.ImportFrom) or base_of(module, node) != "typing":
            continue
        if any(each.name in {"Any", "*"} for each in node.names):
            return True
    return False


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return read_modules(ROOT, without=FREE)


@pytest.fixture(scope="module")
def figures(modules: list[Module]) -> Figures:
    return measure_structure(modules)


def test_statements_are_written_in_loaders_domain_models_and_migrations_only(modules: list[Module]) -> None:
    writers = {
        str(module.path): names
        for module in modules
        if module.room not in SQL_ROOMS and (names := sorted(sql_imports(module)))
    }
    assert set(writers) == set(SQL_ELSEWHERE), writers


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy import func, select",
        "from sqlalchemy import insert as put",
        "from sqlalchemy.dialects.postgresql import insert",
        "from sqlalchemy.sql.expression import update",
        "import sqlalchemy as sa",
        "def late():\n    from sqlalchemy import text",
    ],
)
def test_a_statement_elsewhere_is_found(source: str) -> None:
    assert list(sql_imports(parse_module(source, Path("edge/example.py"))))


def test_a_session_is_no_statement() -> None:
    source = "from sqlalchemy.ext.asyncio import AsyncSession\nfrom domain.order import select"
    assert list(sql_imports(parse_module(source, Path("edge/example.py")))) == []


def test_any_stands_only_where_types_cannot_be_exact(modules: list[Module]) -> None:
    found = {str(module.path) for module in modules if names_any(module)}
    assert {path for path in found if not path.startswith(ANY_ROOMS)} == set(ANY_ELSEWHERE)


@pytest.mark.parametrize(
    "source", ["from typing import Any", "import typing", "from typing import cast, Any as X"]
)
def test_any_elsewhere_is_found(source: str) -> None:
    assert names_any(parse_module(source, Path("domain/example.py")))
    assert not names_any(parse_module("from typing import Protocol", Path("domain/example.py")))


RULES: dict[str, Callable[[Figures], bool]] = {
    "functions are not named by a participle": lambda figures: (
        figures.participle_percent <= PARTICIPLES_PERCENT
    ),
    "few functions are named by one word": lambda figures: figures.one_word_percent <= ONE_WORD_PERCENT,
    "a class name is used once": lambda figures: len(figures.repeated_classes) <= CLASSES_TWICE_LIMIT,
    "a function has at most 7 arguments": lambda figures: not figures.many_arguments,
    "a file has at most 400 lines": lambda figures: not figures.long_files,
    "modules do not import each other": lambda figures: not figures.circles,
    "only GraphQL types refer to each other": lambda figures: all(
        name.partition(".")[0] == "schema" for circle in figures.typed_circles for name in circle
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_code_keeps_a_rule(rule: str, figures: Figures) -> None:
    assert RULES[rule](figures), replace(figures, file_lengths=[], function_lengths=[])


def repeated_helpers(modules: Sequence[Module]) -> dict[str, list[str]]:
    """Names of top-level functions that have the same arguments and body in several files, with the files."""
    paths: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = [
                    ast.dump(node.args),
                    *(ast.dump(each) for each in node.body if not is_docstring(each)),
                ]
                paths[node.name, "\n".join(body)].append(str(module.path))
    return {name: found for (name, _), found in paths.items() if len(found) > 1}


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_the_top_level_holds_the_folders_and_files_of_the_house_only() -> None:
    house = {
        "app.py",
        "settings",
        "cli.py",
        "schema.graphql",
        "schema",
        "resolvers",
        "loaders",
        "domain",
        "events",
        "gateways",
        "edge",
    }
    house |= {
        "models",
        "geo",
        "text",
        "migrations",
        "demo",
        "clients",
        "bench",
        "docs",
        "tests",
        "deploy",
        "pyproject.toml",
        "Makefile",
    }
    house |= {"README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md"}
    house |= {"requirements.txt", "requirements-dev.txt", "requirements-servers.txt"}
    written = {"var", "build", "dist", "htmlcov", "node_modules", "__pycache__", "cartwheel.egg-info"}
    databases = (".db", ".db-journal", ".db-shm", ".db-wal")
    found = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and not path.name.endswith(databases)
    }
    assert found - house - written == set()


def test_a_helper_of_the_tests_stands_once() -> None:
    others = frozenset(path.name for path in ROOT.iterdir()) - {"tests"}
    assert repeated_helpers(read_modules(ROOT, without=others)) == {}


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (
            'async def codes(reply):\n    """Says more."""\n    return reply["codes"]',
            {"codes": ["a.py", "b.py"]},
        ),
        ("def codes(answer):\n    return answer['codes']", {}),
        ("def codes(reply):\n    return reply['codes'][0]", {}),
        ("class A:\n    def codes(reply):\n        return reply['codes']", {}),
    ],
)
def test_a_repeated_helper_is_found(other: str, found: dict[str, list[str]]) -> None:
    first = parse_module("def codes(reply):\n    return reply['codes']", Path("a.py"))

    assert repeated_helpers([first, parse_module(other, Path("b.py"))]) == found


def measure(**sources: str) -> Figures:
    """The figures of modules, given by their dotted names with `__` for the dots."""
    return measure_structure(
        [parse_module(source, Path(f"{name.replace('__', '/')}.py")) for name, source in sources.items()]
    )


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        ("functions are not named by a participle", {"domain__a": "def told(): ..."}),
        ("functions are not named by a participle", {"domain__a": "async def _merged(): ..."}),
        ("few functions are named by one word", {"domain__a": "def price(): ...\ndef find_order(): ..."}),
        (
            "a class name is used once",
            {f"domain__{name}": "\n".join(f"class C{n}: ..." for n in range(4)) for name in "ab"},
        ),
        (
            "a function has at most 7 arguments",
            {"domain__a": "class A:\n    def save(self, session, a, b, c, d, *, e, f, g, h): ..."},
        ),
        ("a file has at most 400 lines", {"domain__a": "x = 1\n" * 401}),
        (
            "modules do not import each other",
            {
                "domain__a": "from domain.b import x",
                "domain__b": "import domain.c",
                "domain__c": "from domain import a",
            },
        ),
        (
            "modules do not import each other",
            {"domain__a": "from . import b", "domain__b": "def late():\n    from .a import x"},
        ),
        (
            "only GraphQL types refer to each other",
            {
                "domain__a": "from domain.b import x",
                "domain__b": "if TYPE_CHECKING:\n    from domain.a import y",
            },
        ),
    ],
)
def test_a_broken_rule_is_found(rule: str, sources: dict[str, str]) -> None:
    figures = measure(**sources)

    broken = [name for name, keeps in RULES.items() if not keeps(figures)]

    assert rule in broken


def test_what_keeps_the_rules_is_left_alone() -> None:
    figures = measure(
        domain__a="from domain.b import seed\ndef find_order(session, a, b, c, d, e, f, g): ...",
        domain__b="def total_of(): ...\ndef status_for(): ...\ndef is_open(): ...\ndef seed_all(): ...",
        resolvers__a="def price(): ...",
        tests__a="def told(): ...\nclass A: ...",
        schema__a="class A: ...\nif TYPE_CHECKING:\n    from schema.b import B",
        schema__b="class A: ...\nfrom schema.a import A",
    )

    assert [name for name, keeps in RULES.items() if not keeps(figures)] == []
    assert (figures.functions, figures.circles, len(figures.typed_circles)) == (6, [], 1)
