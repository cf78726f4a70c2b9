"""Client libraries against a demo shop of their own: `make clients`, or `python -m bench client_libraries`.

Installs locked npm packages into `build/clients`, generates TypeScript types from the example operations and
compiles them, runs Relay's compiler and the schema rules of graphql-eslint, then Apollo Client, urql,
graphql-ws and graphql-sse. Prints a table; exits with 1 when anything fails.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.arguments import read_arguments
from edge.graphiql.build import CannotBuild, install_packages, node_command, npm_command
from tests.process import ROOT, process_environment, serve_shop

SOURCES = ROOT / "clients" / "checks"
FOLDER = ROOT / "build" / "clients"
APPS = ("web", "mobile", "tracking", "staff")
STEP_SECONDS = 300
SHOWN_LINES = 20

TOOLS: Mapping[str, tuple[str, Sequence[str]]] = {
    "GraphQL Code Generator 7: types of all operations": (
        ".", ("node_modules/@graphql-codegen/cli/cjs/bin.js", "--config", "codegen.mjs"),
    ),
    "TypeScript 5: the types compile": (".", ("node_modules/typescript/bin/tsc", "--project", ".")),
    "Relay compiler 21: queries, connections, refetching": (
        "relay", ("../node_modules/relay-compiler/cli.js",),
    ),
    "graphql-eslint 4: recommended rules for schemas": (".", ("schema-rules.mjs",)),
}  # fmt: skip
"""What needs no shop: folder and arguments of Node."""

LIBRARIES = ("apollo.mjs", "urql.mjs", "graphql-ws.mjs", "graphql-sse.mjs")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a library was asked to do, and whether it did."""

    library: str
    name: str
    ok: bool
    note: str = ""


def prepare_folder(npm: Sequence[str]) -> None:
    """Copy the checks, the schema and the operations, and install the packages unless they are there."""
    lock, installed = SOURCES / "package-lock.json", FOLDER / "package-lock.json"
    is_current = installed.exists() and installed.read_bytes() == lock.read_bytes()
    if not is_current:
        shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(SOURCES, FOLDER, dirs_exist_ok=True)
    shutil.copyfile(ROOT / "schema.graphql", FOLDER / "schema.graphql")
    for app in APPS:
        shutil.rmtree(FOLDER / "apps" / app, ignore_errors=True)
        shutil.copytree(ROOT / "clients" / app, FOLDER / "apps" / app)
    (FOLDER / "relay" / "artifacts").mkdir(exist_ok=True)
    if not is_current:
        installed.unlink()
        install_packages(npm, FOLDER, SOURCES)


def run_node(node: Sequence[str], folder: Path, arguments: Sequence[str], **environment: str) -> str:
    """Run Node; return its output. Raises CalledProcessError, or TimeoutExpired after STEP_SECONDS."""
    finished = subprocess.run(
        [*node, *arguments],
        cwd=folder, env=os.environ | environment, timeout=STEP_SECONDS, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return finished.stdout


def run_tools(node: Sequence[str]) -> Iterator[Step]:
    for name, (folder, arguments) in TOOLS.items():
        print_progress(name)
        library, _, step = name.partition(": ")
        try:
            run_node(node, FOLDER / folder, arguments)
            yield Step(library, step, ok=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            yield Step(library, step, ok=False, note=last_lines(error.output))


def run_libraries(node: Sequence[str], url: str) -> Iterator[Step]:
    for script in LIBRARIES:
        print_progress(script)
        try:
            output = run_node(node, FOLDER, [script], SHOP=f"{url}/graphql")
            failure = ""
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            output = error.output.decode() if isinstance(error.output, bytes) else error.output or ""
            failure = last_lines(output)
        steps = list(read_steps(output))
        yield from steps
        if failure and all(step.ok for step in steps):
            yield Step(script, "to its end", ok=False, note=failure)


def print_progress(step: str) -> None:
    """Say what begins now; the table of results comes at the end."""
    print(step, file=sys.stderr, flush=True)


def read_steps(output: str) -> Iterator[Step]:
    for line in output.splitlines():
        if line.startswith("{"):
            read = json.loads(line)
            yield Step(read["library"], read["step"], ok=read["ok"], note=read["note"])


def last_lines(output: str | bytes | None) -> str:
    text = output.decode() if isinstance(output, bytes) else output or "no answer"
    return "\n".join(text.splitlines()[-SHOWN_LINES:])


async def run_all() -> list[Step]:
    """Run everything, with a demo shop on a free port that ends with it."""
    npm, node = npm_command(), node_command()
    print_progress("Installing the packages.")
    prepare_folder(npm)
    steps = list(run_tools(node))
    print_progress("Starting a demo shop.")
    with tempfile.TemporaryDirectory(prefix="clients-") as folder:
        env = process_environment(f"sqlite:///{folder}/shop.db", Path(folder), ENVIRONMENT="development")
        async with serve_shop(env, Path(folder) / "log", "--demo") as shop:
            steps += await asyncio.to_thread(lambda: list(run_libraries(node, shop.url)))
    return steps


def main() -> int:
    read_arguments(__doc__)
    try:
        steps = asyncio.run(run_all())
    except CannotBuild as error:
        print(f"The client libraries were not run. {error}", file=sys.stderr)
        return 1
    table = Table("library", "what it did", "")
    for step in steps:
        table.add_row(step.library, step.name, "works" if step.ok else f"fails: {step.note}")
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    failed = sum(not step.ok for step in steps)
    print(f"{len(steps) - failed} of {len(steps)} steps work.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
