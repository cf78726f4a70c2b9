"""What a migration may do while processes of the last release serve: docs/operations.md has the rules."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import ModuleType

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from edge.operations.releases import REVISION
from migrations.runner import HERE

SMALL = frozenset(
    {
        "articles",
        "attributes",
        "categories",
        "delivery_runs",
        "promotions",
        "shipping_rates",
        "shipping_zones",
        "warehouses",
    }
)
"""Tables in which a shop has so few rows that a lock on them is short."""

CONTRACTING = {
    "drops a table": r"^DROP TABLE (IF EXISTS )?(?P<table>\w+)",
    "drops a column": r"^ALTER TABLE (?P<table>\w+) DROP COLUMN",
    "renames": r"^ALTER TABLE (?P<table>\w+) RENAME",
    "forbids NULL": r"^ALTER TABLE (?P<table>\w+) ALTER COLUMN \w+ SET NOT NULL",
}
"""What processes of the last release would trip over, unless that release no longer uses it."""

FORBIDDEN = {
    "changes the type of a column": r"^ALTER TABLE (?P<table>\w+) ALTER COLUMN \w+ TYPE",
    "adds a column that the last release does not fill": (
        r"^ALTER TABLE (?P<table>\w+) ADD COLUMN (?!.* DEFAULT ).*NOT NULL"
    ),
}

FORBIDDEN_IN_LARGE_TABLES = {
    "makes an index that stops all writes": (
        r"^CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)(IF NOT EXISTS )?\w+ ON (?P<table>\w+)"
    ),
    "checks all rows under a lock": r"^ALTER TABLE (?P<table>\w+) ADD (?!COLUMN)(?!.* NOT VALID$)",
    "rewrites rows": r"^(UPDATE|DELETE FROM) (?P<table>\w+)",
}

UNREPEATED = "is not repeated where the index after it fails"
"""The rule of migrations of several transactions: what is committed stays, and is met again."""

REPEATABLE = re.compile(
    r"(COMMIT|BEGIN)$|DELETE FROM|UPDATE \w+ SET (\w+) ?=.* WHERE .*\b\2\b|CREATE OR REPLACE"
    r"|(CREATE|DROP|ALTER) [A-Z ]*\bIF (NOT )?EXISTS\b|ALTER TABLE \w+ (ADD|DROP) [A-Z ]*\bIF (NOT )?EXISTS\b"
    r"|ALTER TABLE \w+ VALIDATE CONSTRAINT|ALTER TABLE \w+ ALTER COLUMN \w+ (DROP|SET DEFAULT)"
)
"""What changes nothing where it is repeated: an UPDATE asks for what it sets."""
CONCURRENT = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(\w+)")
CONSTRAINT = re.compile(r"ALTER TABLE (\w+) ADD CONSTRAINT (\w+)")


@dataclass(frozen=True, slots=True)
class RuleBreach:
    """A statement of a migration that breaks a rule."""

    rule: str
    statement: str


def migrations_after(revision: str | None) -> list[ModuleType]:
    """Return the later migrations, in their order; none where there is no such revision yet."""
    names = sorted(file.stem for file in (HERE / "versions").glob("*.py"))
    later = [name for name in names if revision and name[:4] > revision]
    return [import_module(f"migrations.versions.{name}") for name in later]


def find_first_revision(releases: Path) -> str | None:
    """Return the revision of the tables at the first release whose folder says it; None before it."""
    revisions = [file.read_text("utf-8").strip() for file in releases.glob(f"*/{REVISION}")]
    return min(revisions, default=None)


def find_breaches(migration: ModuleType) -> list[RuleBreach]:
    """Return the statements for PostgreSQL that break a rule; the tables a migration makes are its own.

    A migration of the contract phase has `CONTRACTS_AFTER`, the release that no longer uses what it drops.
    """
    try:
        statements = read_statements(migration)
    except (AttributeError, TypeError) as error:  # nothing comes back from a database that is not there
        return [RuleBreach("reads rows", str(error))]
    own = {
        match[1] for each in statements if (match := re.match(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", each))
    }
    contracting = {} if hasattr(migration, "CONTRACTS_AFTER") else CONTRACTING
    return [
        *find_matches(statements, contracting | FORBIDDEN, own),
        *find_matches(statements, FORBIDDEN_IN_LARGE_TABLES, own | SMALL),
        *find_unrepeatable(statements),
    ]


def find_unrepeatable(statements: Sequence[str]) -> Iterator[RuleBreach]:
    """What fails, or leaves an index that nobody can use, where a migration runs again after a failure."""
    committed = max((at for at, each in enumerate(statements) if each in ("COMMIT", "BEGIN")), default=0)
    for at, statement in enumerate(statements[:committed]):
        if index := CONCURRENT.match(statement):
            is_repeatable = f"DROP INDEX CONCURRENTLY IF EXISTS {index[1]}" in statements[:at]
        elif added := CONSTRAINT.match(statement):
            is_repeatable = f"ALTER TABLE {added[1]} DROP CONSTRAINT IF EXISTS {added[2]}" in statements[:at]
        else:
            # a function has several statements of its own
            parts = [statement] if "$$" in statement else re.split(r"; ?(?=\S)", statement)
            is_repeatable = all(REPEATABLE.match(part) for part in parts)
        if not is_repeatable:
            yield RuleBreach(UNREPEATED, statement)


def find_matches(
    statements: list[str], rules: dict[str, str], exempt: frozenset[str] | set[str]
) -> Iterator[RuleBreach]:
    for statement in statements:
        for rule, pattern in rules.items():
            if (match := re.match(pattern, statement)) and match["table"] not in exempt:
                yield RuleBreach(rule, statement)


def read_statements(migration: ModuleType) -> list[str]:
    """Return what the migration sends to PostgreSQL, one statement a line, without running it.

    A migration that reads rows cannot be read so: it is a backfill, and belongs into a job.
    """
    printed = StringIO()
    options = {"as_sql": True, "output_buffer": printed}
    with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
        migration.upgrade()
    return [" ".join(each.split()) for each in printed.getvalue().split(";\n") if each.strip()]
