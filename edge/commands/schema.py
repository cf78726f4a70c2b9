"""Writing and checking the schema that clients rely on, for `cartwheel schema`."""

from importlib.metadata import version as installed_version
from pathlib import Path

from rich.console import Console

from edge.operations.releases import ReleaseRefused, cut_release, find_unwanted_breaks
from migrations.revisions import known_revisions
from schema import schema

ROOT = Path(__file__).parents[2]
SCHEMA_FILE, CLIENTS = ROOT / "schema.graphql", ROOT / "clients"
RELEASES, DECISIONS = ROOT / "docs" / "releases", ROOT / "docs" / "decisions"


def write_schema() -> None:
    SCHEMA_FILE.write_text(printed_schema(), encoding="utf-8")


def printed_schema() -> str:
    return schema.as_str() + "\n"


def check_schema(console: Console) -> int:
    """Print why the written schema is stale or breaks clients of the last release; return the exit code."""
    if not SCHEMA_FILE.exists() or SCHEMA_FILE.read_text(encoding="utf-8") != printed_schema():
        console.print("schema.graphql is stale: run `make schema` and look at what changed for clients.")
        return 1
    try:
        problems = find_unwanted_breaks(RELEASES, printed_schema(), DECISIONS)
    except ReleaseRefused as error:
        problems = [str(error)]
    for problem in problems:
        console.print(problem, highlight=False, markup=False)
    if problems:
        console.print("Clients of the last release break. Decision records: docs/releases/breaking.toml.")
    return 1 if problems else 0


def release_schema(version: str, console: Console) -> int:
    """Write the schema and all client operations into the folder of a release; return the exit code."""
    if version != (installed := installed_version("cartwheel")):
        console.print(f"The installed version is {installed}, not {version}.", highlight=False)
        return 2
    write_schema()
    try:
        folder = cut_release(RELEASES, version, printed_schema(), CLIENTS, known_revisions()[-1])
    except ReleaseRefused as refused:
        console.print(str(refused), highlight=False, markup=False)
        return 2
    console.print(
        f"{folder.relative_to(ROOT)} holds the schema, the operations and the revision.", highlight=False
    )
    return 0
