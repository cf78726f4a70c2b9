"""Figures on the shape of the code: names, classes, circles of imports, lengths of files and functions.

`python -m bench.structure [FOLDER] [-v]` measures this checkout or another one; -v also prints the places.
Names, classes and lengths are those of the shop itself, without tests, migrations, benches and the demo shop.
"""

import ast
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.arguments import create_parser

ROOT = Path(__file__).parents[1]

ASIDE = frozenset({"tests", "migrations", "bench", "demo"})
NOT_OURS = frozenset({"build", "node_modules", "__pycache__"})
FIELDS = frozenset({"resolvers", "schema", "cli"})
"""Where a function has the name of its field or command, which may be one word."""

IRREGULAR = """
begun born bought bound brought built caught chosen dealt done drawn driven eaten fallen felt fought
found frozen given gone grown heard held hidden kept known laid led lent lost made meant met paid said
seen sent shown sold sought spelt spent spoken stolen struck swept sworn taken taught thought thrown told
torn understood won worn wound written
"""
IRREGULAR_PARTICIPLES = frozenset(IRREGULAR.split())
NO_PARTICIPLES = frozenset({"embed", "exceed", "feed", "need", "proceed", "seed", "shed", "speed", "succeed"})

ARGUMENTS_LIMIT = 7
LINES_LIMIT = 400
PASSED_ALONG = frozenset({"self", "cls", "info", "session"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """A file of Python: its dotted name, its path below the root and its syntax tree."""

    name: str
    path: Path
    lines: int
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]


@dataclass(slots=True)
class Figures:
    """What was measured; lists hold the places, lengths are in lines."""

    functions: int = 0
    participles: list[str] = field(default_factory=list)
    verbs_expected: int = 0
    """Top-level functions outside FIELDS, of which `one_word` counts the names of one word."""
    one_word: list[str] = field(default_factory=list)
    repeated_classes: dict[str, list[str]] = field(default_factory=dict)
    many_arguments: list[str] = field(default_factory=list)
    long_files: list[str] = field(default_factory=list)
    circles: list[list[str]] = field(default_factory=list)
    typed_circles: list[list[str]] = field(default_factory=list)
    """Circles where imports for type checking count, too."""
    file_lengths: list[int] = field(default_factory=list)
    function_lengths: list[int] = field(default_factory=list)
    tests: int = 0

    @property
    def participle_percent(self) -> float:
        return 100 * len(self.participles) / max(self.functions, 1)

    @property
    def one_word_percent(self) -> float:
        return 100 * len(self.one_word) / max(self.verbs_expected, 1)


def main() -> int:
    parser = create_parser(__doc__)
    parser.add_argument("folder", nargs="*", type=Path, help="the checkout to measure")
    parser.add_argument("-v", action="store_true", help="print the places, too")
    given, _ = parser.parse_known_args()
    root = next((each for each in given.folder if each.is_dir()), ROOT)
    figures = measure_structure(read_modules(root))
    for name, value in table_of(figures):
        print(f"{name:44} {value:>20}")
    if given.v:
        print_places(figures)
    return 0


def read_modules(root: Path, *, without: frozenset[str] = frozenset()) -> list[Module]:
    """All files of Python below `root` but hidden and generated ones and those of the rooms in `without`."""
    modules = []
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if relative.parts[0] in without or any(
            part in NOT_OURS or part.startswith(".") for part in relative.parts
        ):
            continue
        modules.append(parse_module(path.read_text(encoding="utf-8"), relative))
    return modules


def parse_module(source: str, path: Path) -> Module:
    parts = path.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, path, len(source.splitlines()), ast.parse(source))


def measure_structure(modules: Sequence[Module]) -> Figures:
    figures = Figures()
    shop = [module for module in modules if module.room not in ASIDE]
    classes: defaultdict[str, list[str]] = defaultdict(list)
    for module in shop:
        measure_names(module, figures)
        figures.file_lengths.append(module.lines)
        if module.lines > LINES_LIMIT:
            figures.long_files.append(f"{module.path}: {module.lines}")
        if module.room != "schema":
            for node in module.tree.body:
                if isinstance(node, ast.ClassDef):
                    classes[node.name].append(str(module.path))
        for function in functions_in(module.tree):
            figures.function_lengths.append((function.end_lineno or function.lineno) - function.lineno + 1)
            if (count := count_arguments(function)) > ARGUMENTS_LIMIT:
                figures.many_arguments.append(f"{place_of(module, function)} ({count})")
    figures.repeated_classes = {name: places for name, places in classes.items() if len(places) > 1}
    figures.circles = find_circles(import_graph(shop))
    figures.typed_circles = find_circles(import_graph(shop, type_checking=True))
    figures.tests = sum(count_tests(module) for module in modules if module.room == "tests")
    return figures


def measure_names(module: Module, figures: Figures) -> None:
    """Count the top-level functions of a module by the kind of their names."""
    for node in module.tree.body:
        if not isinstance(node, Function):
            continue
        figures.functions += 1
        figures.verbs_expected += module.room not in FIELDS
        name = node.name.strip("_")
        if "_" in name:
            continue
        if is_participle(name):
            figures.participles.append(place_of(module, node))
        if module.room not in FIELDS:
            figures.one_word.append(place_of(module, node))


def is_participle(word: str) -> bool:
    return word in IRREGULAR_PARTICIPLES or (word.endswith("ed") and word not in NO_PARTICIPLES)


def functions_in(tree: ast.AST) -> Iterator[Function]:
    """All functions, including methods and nested ones."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def count_arguments(function: Function) -> int:
    taken = function.args
    return sum(each.arg not in PASSED_ALONG for each in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs))


def count_tests(module: Module) -> int:
    return sum(function.name.startswith("test_") for function in functions_in(module.tree))


def place_of(module: Module, node: Function) -> str:
    return f"{module.path}:{node.lineno} {node.name}"


def import_graph(modules: Sequence[Module], *, type_checking: bool = False) -> Mapping[str, set[str]]:
    """Module -> the modules among these that it imports, with or without those for type checking only."""
    names = {module.name for module in modules}
    return {
        module.name: {name for name in imported_names(module, names, type_checking) if name != module.name}
        for module in modules
    }


def imported_names(module: Module, names: set[str], type_checking: bool) -> Iterator[str]:
    for node in imports_in(module.tree, type_checking):
        if isinstance(node, ast.Import):
            yield from (name for each in node.names if (name := nearest(each.name, names)))
            continue
        base = base_of(module, node)
        for each in node.names:
            whole = f"{base}.{each.name}"
            if name := whole if whole in names else nearest(base, names):
                yield name


def imports_in(node: ast.AST, type_checking: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and is_type_checking(child.test):
            branches = [*child.body, *child.orelse] if type_checking else child.orelse
            yield from imports_in(ast.Module(branches, []), type_checking)
        else:
            yield from imports_in(child, type_checking)


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def base_of(module: Module, node: ast.ImportFrom) -> str:
    """The module after `from`, with the dots of a relative import resolved."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    kept = len(parts) - node.level + module.is_package
    return ".".join([*parts[:kept], *([node.module] if node.module else [])])


def nearest(name: str, names: set[str]) -> str | None:
    """The module of ours that this dotted name lies in; None outside."""
    while name and name not in names:
        name = name.rpartition(".")[0]
    return name or None


def find_circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or not: strongly connected components (Kosaraju)."""
    finished: list[str] = []
    visited: set[str] = set()
    for start in sorted(graph):
        finished += walk(graph, start, visited)
    reverse: defaultdict[str, set[str]] = defaultdict(set)
    for source, targets in graph.items():
        for target in targets:
            reverse[target].add(source)
    visited = set()
    groups = [walk(reverse, start, visited) for start in reversed(finished)]
    return sorted((sorted(group) for group in groups if len(group) > 1), key=len, reverse=True)


def walk(graph: Mapping[str, set[str]], start: str, visited: set[str]) -> list[str]:
    """What can be reached from `start` and was not visited, each after all that is reached from it."""
    if start in visited:
        return []
    visited.add(start)
    finished: list[str] = []
    stack = [(start, iter(sorted(graph.get(start, ()))))]
    while stack:
        node, rest = stack[-1]
        following = next((each for each in rest if each not in visited), None)
        if following is None:
            finished.append(node)
            stack.pop()
        else:
            visited.add(following)
            stack.append((following, iter(sorted(graph.get(following, ())))))
    return finished


def table_of(figures: Figures) -> list[tuple[str, str]]:
    """Name and value of each figure, as they are printed."""
    return [
        ("functions at the top level", str(figures.functions)),
        ("named by a bare participle", f"{figures.participle_percent:.1f} %"),
        ("named by one word (no resolvers, schema, cli)", f"{figures.one_word_percent:.1f} %"),
        ("class names used twice (no schema)", str(len(figures.repeated_classes))),
        (f"functions over {ARGUMENTS_LIMIT} arguments", str(len(figures.many_arguments))),
        ("circles of imports", describe_circles(figures.circles)),
        ("... with imports for type checking", describe_circles(figures.typed_circles)),
        ("files", str(len(figures.file_lengths))),
        ("lines of a file: median, 90 %, longest", describe_lengths(figures.file_lengths)),
        (f"files over {LINES_LIMIT} lines", str(len(figures.long_files))),
        ("lines of a function: median, 90 %, longest", describe_lengths(figures.function_lengths)),
        ("test functions", str(figures.tests)),
    ]


def describe_circles(circles: Sequence[Sequence[str]]) -> str:
    sizes = ", ".join(str(len(circle)) for circle in circles)
    return f"{len(circles)} (of {sizes})" if circles else "0"


def describe_lengths(lengths: Sequence[int]) -> str:
    if not lengths:
        return "-"
    ordered = sorted(lengths)
    return f"{statistics.median(ordered):.0f}, {ordered[len(ordered) * 9 // 10]}, {ordered[-1]}"


def print_places(figures: Figures) -> None:
    classes = (f"{name}: {', '.join(places)}" for name, places in sorted(figures.repeated_classes.items()))
    parts: list[tuple[str, Iterable[str]]] = [
        ("bare participles", figures.participles),
        ("one word", figures.one_word),
        ("class names used twice", classes),
        (f"over {ARGUMENTS_LIMIT} arguments", figures.many_arguments),
        (f"over {LINES_LIMIT} lines", figures.long_files),
        ("circles of imports", (" ".join(circle) for circle in figures.circles)),
        ("circles with imports for type checking", (" ".join(circle) for circle in figures.typed_circles)),
    ]
    for title, places in parts:
        print(f"\n{title}:", *places, sep="\n  ")


if __name__ == "__main__":
    raise SystemExit(main())
