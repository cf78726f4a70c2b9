"""Starting servers in a temporary folder, as a user that is not root, and stopping them with the tests."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from tests.servers.discovery import Program, ServerMissing

START_SECONDS = 60
STOP_SECONDS = 20
PORTS = range(20000, 32000)
"""Below the system's ephemeral ports, so that nobody takes the port of a stopped server."""

PORTS_TRIED = 3

ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

STOP_WITH_PARENT = 'exec 3<&0; ( (cat <&3; kill -INT $$) >/dev/null 2>&1 & ); exec "$@" 3<&- </dev/null'
"""Shell script that execs the server and stops it when its standard input closes: also on SIGKILL."""


class ServerFailed(Exception):
    """A command or server failed; the message ends with its output."""


@contextmanager
def make_server_folder() -> Iterator["ServerFolder"]:
    """Make a folder that is removed after the block."""
    path = Path(mkdtemp(prefix="cartwheel-"))
    try:
        yield ServerFolder(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class ServerFolder:
    """Runs programs in one folder as an ordinary user, since PostgreSQL refuses to run as root."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.uid, self.gid = _find_ordinary_user()
        self._change_owner(path)

    def make_executable(self, program: Program) -> Path:
        """Return the program's path, or that of a copy where the user cannot execute it (below /root)."""
        if not program.folders or self._run("test", "-x", str(program.path)).returncode == 0:
            return program.path
        for folder in program.folders:
            if folder.exists():
                self._copy_folder(folder)
        return self.path / program.path.relative_to(program.folders[0].parent)

    def run(self, *command: str) -> None:
        """Run a command to its end; ServerFailed when its exit code is not 0."""
        finished = self._run(*command)
        if finished.returncode:
            raise ServerFailed(f"{command[0]} failed:\n{finished.stdout}{finished.stderr}")

    def start(self, name: str, *command: str, ready: Callable[[], bool]) -> "RunningServer":
        """Start a server and wait until `ready()`."""
        running = RunningServer(self, self.path / f"{name}.log", command)
        running.wait(ready)
        return running

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
            user=self.uid, group=self.gid, extra_groups=None if self.uid is None else [],
        )  # fmt: skip

    def _copy_folder(self, folder: Path) -> None:
        copy = self.path / folder.name
        shutil.copytree(folder, copy, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            self._change_owner(path)

    def _change_owner(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


class RunningServer:
    """A started server."""

    def __init__(self, folder: ServerFolder, log: Path, command: tuple[str, ...]) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ("/bin/sh", "-c", STOP_WITH_PARENT, "sh", *command),
                cwd=folder.path, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=output, stderr=output,
                user=folder.uid, group=folder.gid, extra_groups=None if folder.uid is None else [],
                start_new_session=True,  # Ctrl-C reaches only the tests, which stop their servers
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The server's own: the shell that starts it becomes it."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self, ready: Callable[[], bool]) -> None:
        """Wait until `ready()`; ServerFailed when the server ends first or takes over START_SECONDS."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServerFailed("\n".join(["The server did not start:", *self._last_lines()]))
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def _last_lines(self) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()[-20:]


def start_on_free_port(start: Callable[[int], "RunningServer"]) -> tuple["RunningServer", int]:
    """Start a server on a free port and return both; try another port when the first was taken meanwhile."""
    for attempt in range(1, PORTS_TRIED + 1):
        port = find_free_port()
        try:
            return start(port), port
        except ServerFailed:
            if attempt == PORTS_TRIED:
                raise
    raise AssertionError


def find_free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _find_ordinary_user() -> tuple[int | None, int | None]:
    if os.geteuid() != 0:
        return None, None
    for user in pwd.getpwall():
        if user.pw_name in ("postgres", "nobody"):
            return user.pw_uid, user.pw_gid
    raise ServerMissing("PostgreSQL refuses to run as root, and there is no user postgres or nobody here.")
