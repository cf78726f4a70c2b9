"""deploy/install.sh, as the image and an operator run it: by an ordinary user, in an empty folder."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.observe import TIMEOUT_SECONDS
from tests.process import ADDRESS, ROOT
from tests.servers.server_folder import ServerFolder, make_server_folder

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
SCRIPT = ROOT / "deploy/install.sh"
MAKES_VENVS = 'test -x "$0" && exec "$0" -c "import ensurepip"'
PARTS = re.compile(r'"(\w+)\*"')


class PythonMissing(Exception):
    """No Python of this version that an ordinary user may run and that can make virtual environments."""


@pytest.fixture(scope="module")
def folder() -> Iterator[ServerFolder]:
    with make_server_folder() as folder:
        yield folder


def run_as_user(folder: ServerFolder, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": str(folder.path), "LC_ALL": "C.UTF-8", **env}
    return subprocess.run(
        command, cwd=folder.path, env=environment, capture_output=True, text=True, timeout=300, check=False,
        user=folder.uid, group=folder.gid, extra_groups=None if folder.uid is None else [],
    )  # fmt: skip


def find_python(folder: ServerFolder) -> str:
    """This Python, or the system's of the same version where the user may not run this one."""
    for path in (f"{sys.base_prefix}/bin/{VERSION}", f"/usr/bin/{VERSION}", f"/usr/local/bin/{VERSION}"):
        if Path(path).exists() and run_as_user(folder, "/bin/sh", "-c", MAKES_VENVS, path).returncode == 0:
            return path
    raise PythonMissing(f"{VERSION} with venv, for every user: apt install {VERSION}-venv")


def find_libraries(folder: ServerFolder) -> str:
    """Where the locked libraries are installed; links to them where the user may not go there."""
    libraries = Path(sysconfig.get_path("purelib"))
    if run_as_user(folder, "test", "-r", str(libraries / "starlette/__init__.py")).returncode == 0:
        return str(libraries)
    copy = folder.path / "libraries"
    try:
        shutil.copytree(libraries, copy, copy_function=os.link)
    except (OSError, shutil.Error):
        shutil.copytree(libraries, copy, dirs_exist_ok=True)
    return str(copy)


def find_source(folder: ServerFolder) -> Path:
    """The files that the image gets of a checkout, where the user may read but not write."""
    source = folder.path / "source"
    ignore = (ROOT / "deploy/Dockerfile.dockerignore").read_text("utf-8").splitlines()
    kept = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in names:
        if name.partition("/")[0] in kept and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    return source


@pytest.fixture(scope="module")
def libraries(folder: ServerFolder) -> str:
    return find_libraries(folder)


@pytest.fixture(scope="module")
def installed(folder: ServerFolder, libraries: str) -> Path:
    """The folder of a new installation.

    The locked libraries are those of this environment, which pip compares with the lock: it would take a
    minute to unpack them again. Only what a system's older Python needs besides is installed.
    """
    source = find_source(folder)
    finished = run_as_user(
        folder, str(source / "deploy/install.sh"), "shop", PYTHON=find_python(folder), PYTHONPATH=libraries
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout == f"Installed: {folder.path}/shop/bin/cartwheel\n"
    return folder.path / "shop"


def files_below(folder: Path, names: set[str]) -> set[str]:
    """All but hidden ones, which only the build of the GraphiQL page reads, and compiled ones."""
    found = (path for name in names for path in (folder / name).rglob("[!.]*"))
    return {str(path.relative_to(folder)) for path in found if path.is_file() and path.suffix != ".pyc"}


def test_every_file_of_the_packages_is_installed(installed: Path, folder: ServerFolder) -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    packages = set(PARTS.findall(project.partition("[tool.setuptools.packages.find]")[2].partition("]")[0]))
    assert {"migrations", "demo", "edge", "schema"} <= packages
    [site] = (installed / "lib").glob("python*/site-packages")

    assert files_below(site, packages) == files_below(folder.path / "source", packages)
    assert (site / "app.py").is_file()
    assert (installed / "share/cartwheel/schema.graphql").read_bytes() == (
        ROOT / "schema.graphql"
    ).read_bytes()


def test_an_installation_leaves_nothing_behind(installed: Path, folder: ServerFolder) -> None:
    assert not (installed / "build").exists()
    left = {path.name for path in folder.path.iterdir()} - {"shop", "source", "libraries", ".cache", "var"}
    assert left == set()
    if folder.uid is not None:
        owners = {path.lstat().st_uid for path in installed.rglob("*")}
        assert owners == {folder.uid}


def test_the_installed_shop_serves_and_stops(installed: Path, folder: ServerFolder, libraries: str) -> None:
    environment = {
        "PATH": os.defpath, "PYTHONPATH": libraries, "PORT": "0", "LOG_FORMAT": "json", "LC_ALL": "C.UTF-8",
        "HOME": str(folder.path),
    }  # fmt: skip
    log = folder.path / "shop/log"
    with log.open("wb") as output:
        serving = subprocess.Popen(
            [str(installed / "bin/cartwheel"), "serve"], cwd=folder.path, env=environment, stderr=output,
            user=folder.uid, group=folder.gid, extra_groups=None if folder.uid is None else [],
        )  # fmt: skip
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=TIMEOUT_SECONDS) as http:
            url = wait_for_address(serving, log)
            assert http.get(f"{url}/readyz").status_code == 200
            answer = http.post(f"{url}/graphql", json={"query": "{ products(first: 1) { totalCount } }"})
            assert run_health_check(installed, url) == 0
            assert json.loads(answer.content)["data"] == {"products": {"totalCount": 0}}
    finally:
        serving.send_signal(signal.SIGTERM)
        ended = serving.wait(TIMEOUT_SECONDS)
    assert ended in (0, -signal.SIGTERM)
    assert run_health_check(installed, url) == 1
    assert (folder.path / "var/cartwheel.db").is_file()


def run_health_check(installed: Path, url: str) -> int:
    """Run the health check of the image; return its exit code."""
    dockerfile = (ROOT / "deploy/Dockerfile").read_text("utf-8")
    _, *options = json.loads(re.findall(r"HEALTHCHECK .*\\\n\s*CMD (\[.*\])", dockerfile)[0])
    command = [str(installed / "bin/python"), *options]
    environment = {"PORT": url.rpartition(":")[2]}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def wait_for_address(serving: "subprocess.Popen[bytes]", log: Path) -> str:
    while not (printed := ADDRESS.search(log.read_bytes())):
        with pytest.raises(subprocess.TimeoutExpired):
            serving.wait(0.05)
    return printed[1].decode()


def test_a_folder_that_is_not_empty_is_refused(installed: Path, folder: ServerFolder) -> None:
    before = sorted(path.name for path in installed.iterdir())

    refused = run_as_user(folder, str(folder.path / "source/deploy/install.sh"), "shop", PYTHON="/bin/false")

    assert (refused.returncode, refused.stderr) == (1, "shop is not empty.\n")
    assert sorted(path.name for path in installed.iterdir()) == before
