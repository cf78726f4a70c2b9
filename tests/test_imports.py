"""Any module may be the first one that a process imports."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = ("cli.py", "app.py")
OTHERS = ("tests", "bench", "build", "dist", "var", "node_modules")


def read_sources() -> dict[str, str]:
    """The text of each module of the shop, by its name."""
    files = [ROOT / program for program in PROGRAMS]
    for folder in ROOT.iterdir():
        if folder.is_dir() and not folder.name.startswith((".", *OTHERS)):
            files += [path for path in folder.rglob("*.py") if "node_modules" not in path.parts]
    return {name_of(path): path.read_text() for path in files}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_at_start(source: str) -> Iterator[str]:
    """What a module imports at once: not for types only, and not in a function."""
    statements: list[ast.stmt] = ast.parse(source).body
    while statements:
        match statements.pop():
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield module
                yield from (f"{module}.{each.name}" for each in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                statements += otherwise
            case ast.If(body=body, orelse=otherwise):
                statements += [*body, *otherwise]
            case ast.Try(body=body) | ast.With(body=body) | ast.ClassDef(body=body):
                statements += body


def needs_of(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """The modules that each needs before it, with the packages around those, but for its own packages."""
    needs: dict[str, set[str]] = {}
    for name, source in sources.items():
        needed = {package for each in imports_at_start(source) for package in packages_of(each)}
        needs[name] = {each for each in needed & sources.keys() if not f"{name}.".startswith(f"{each}.")}
    return needs


def packages_of(name: str) -> Iterator[str]:
    """A module, and the packages it is in."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def find_circle(sources: Mapping[str, str]) -> list[str]:
    try:
        TopologicalSorter(needs_of(sources)).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_module_needs_itself_to_be_imported() -> None:
    assert find_circle(read_sources()) == []


@pytest.mark.parametrize(
    "sources",
    [
        {"a": "import b", "b": "from a import name"},
        {"a": "from b.inner import name", "b": "from b.other import x", "b.inner": "", "b.other": "import a"},
    ],
)
def test_a_circle_is_found(sources: dict[str, str]) -> None:
    assert find_circle(sources)


@pytest.mark.parametrize(
    "source",
    ["def late():\n    import a", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a"],
)
def test_what_is_imported_later_makes_no_circle(source: str) -> None:
    assert find_circle({"a": "import b", "b": source}) == []
