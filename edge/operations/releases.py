"""What clients of the last release rely on: its schema and their operations, kept in `docs/releases`.

The check finds what breaks them. Each break is either taken back or names the decision record that wants it.
"""

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from graphql import GraphQLSchema, build_schema, find_breaking_changes, parse, validate

from edge.operations.documents import ClientOperation, UnreadableOperations, read_operations

VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
SCHEMA, OPERATIONS, REVISION, ACCEPTED = "schema.graphql", "operations", "revision", "breaking.toml"
"""Files of a release, and the file beside all releases with the breaks that are wanted.

The revision is that of the tables: later migrations keep the rules of docs/operations.md.
"""

HEADER = """\
# What breaks clients of the last release, and the decision record that wants it (`cartwheel schema --check`):
#
# [[change]]
# what = "Account.nickname was removed."
# record = "0031"
"""


class ReleaseRefused(Exception):
    """A release cannot be cut, or the file of wanted breaks cannot be read; the message says why."""


def find_last_release(releases: Path) -> Path | None:
    """Return the folder of the highest version; None before the first release."""
    versions = {
        tuple(map(int, found.groups())): folder
        for folder in releases.glob("*")
        if (found := VERSION.fullmatch(folder.name))
    }
    return versions[max(versions)] if versions else None


def cut_release(releases: Path, version: str, sdl: str, clients: Path, revision: str) -> Path:
    """Copy the schema, the operations and the revision of the tables into the folder of a version; return it.

    The wanted breaks begin anew. ReleaseRefused for what is no version, or no newer one.
    """
    folder, last = releases / version, find_last_release(releases)
    if not (found := VERSION.fullmatch(version)):
        raise ReleaseRefused(f"{version} is no version such as 1.2.3.")
    if folder.exists():
        raise ReleaseRefused(f"{folder} exists: a release is never changed.")
    if last and tuple(map(int, found.groups())) < tuple(map(int, last.name.split("."))):
        raise ReleaseRefused(f"{version} is older than the last release, {last.name}.")
    try:
        read_operations(clients)
    except UnreadableOperations as error:
        raise ReleaseRefused(str(error)) from None
    for file in sorted(clients.glob("*/*.graphql")):
        target = folder / OPERATIONS / file.relative_to(clients)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    (folder / SCHEMA).write_text(sdl, encoding="utf-8")
    (folder / REVISION).write_text(f"{revision}\n", encoding="utf-8")
    (releases / ACCEPTED).write_text(HEADER, encoding="utf-8")
    return folder


def find_unwanted_breaks(releases: Path, sdl: str, decisions: Path) -> list[str]:
    """Return what breaks clients of the last release without a decision record, and entries that are wrong.

    Nothing before the first release. Raises ReleaseRefused when the file of wanted breaks cannot be read.
    """
    release = find_last_release(releases)
    if release is None:
        return []
    breaks = sorted({*find_breaks(release, build_schema(sdl))})
    accepted = read_accepted(releases / ACCEPTED)
    problems = [each for each in breaks if each not in accepted]
    for what, record in accepted.items():
        if what not in breaks:
            problems.append(f"{ACCEPTED}: nothing does this: {what}")
        elif not any(decisions.glob(f"{record}-*.md")):
            problems.append(f"{ACCEPTED}: there is no decision record {record}: {what}")
    return problems


def find_breaks(release: Path, schema: GraphQLSchema) -> Iterator[str]:
    """Yield each breaking change since a release, and each of its operations that is not valid any more."""
    released = build_schema((release / SCHEMA).read_text(encoding="utf-8"))
    for change in find_breaking_changes(released, schema):
        yield change.description
    for operation in read_operations(release / OPERATIONS):
        yield from find_errors(schema, operation)


def find_errors(schema: GraphQLSchema, operation: ClientOperation) -> Iterator[str]:
    """Yield why an operation is not valid; nothing for a valid one."""
    for error in validate(schema, parse(operation.text)):
        yield f"{operation.name}: {error.message}"


def read_accepted(file: Path) -> Mapping[str, str]:
    """Return the wanted breaks, each with the number of its decision record."""
    if not file.exists():
        return {}
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("change", [])
        return {str(entry["what"]): str(entry["record"]) for entry in entries}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseRefused(f"{file} cannot be read: {error}") from None
