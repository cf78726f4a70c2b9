"""A temporary folder in which servers run as a user that is not root, and never outlive the tests."""

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

from tests.servers.found import Program, ServerMissing

START_SECONDS = 60
STOP_SECONDS = 20
PORTS = range(20000, 32000)
"""Below the ports the system hands out by itself, so that nobody takes the port of a stopped server."""

PORTS_TRIED = 3

ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

LEASH = 'exec 3<&0; ( (cat <&3; kill -INT $$) >/dev/null 2>&1 & ); exec "$@" 3<&- </dev/null'
"""Becomes the server, and stops it when the other end of its input closes: also when the tests are killed."""


class ServerFailed(Exception):
    """A server did not start; the message ends with what it wrote."""


@contextmanager
def den() -> Iterator["Den"]:
    path = Path(mkdtemp(prefix="cartwheel-"))
    try:
        yield Den(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Den:
    """Runs programs in one folder, and as an ordinary user: PostgreSQL refuses root."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.uid, self.gid = _ordinary_user()
        self._own(path)

    def reach(self, program: Program) -> Path:
        """The program, or a copy of it where this user cannot get at it (a checkout below /root)."""
        if not program.folders or self._run("test", "-x", str(program.path)).returncode == 0:
            return program.path
        for folder in program.folders:
            if folder.exists():
                self._copy(folder)
        return self.path / program.path.relative_to(program.folders[0].parent)

    def run(self, *command: str) -> None:
        finished = self._run(*command)
        if finished.returncode:
            raise ServerFailed(f"{command[0]} failed:\n{finished.stdout}{finished.stderr}")

    def start(self, name: str, *command: str, ready: Callable[[], bool]) -> "Running":
        running = Running(self, self.path / f"{name}.log", command)
        running.wait(ready)
        return running

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
            user=self.uid, group=self.gid, extra_groups=None if self.uid is None else [],
        )  # fmt: skip

    def _copy(self, folder: Path) -> None:
        copy = self.path / folder.name
        shutil.copytree(folder, copy, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            self._own(path)

    def _own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


class Running:
    """A started server."""

    def __init__(self, den: Den, log: Path, command: tuple[str, ...]) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ("/bin/sh", "-c", LEASH, "sh", *command),
                cwd=den.path, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=output, stderr=output,
                user=den.uid, group=den.gid, extra_groups=None if den.uid is None else [],
                start_new_session=True,  # Ctrl-C is for the tests, which then stop their servers in order
            )  # fmt: skip

    def wait(self, ready: Callable[[], bool]) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not ready():
            if self._process.poll() is not None or time.monotonic() > give_up:
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


def on_a_free_port(start: Callable[[int], "Running"]) -> tuple["Running", int]:
    """A server and its port; on another one when somebody was quicker to take the first."""
    for attempt in range(1, PORTS_TRIED + 1):
        port = free_port()
        try:
            return start(port), port
        except ServerFailed:
            if attempt == PORTS_TRIED:
                raise
    raise AssertionError


def free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _ordinary_user() -> tuple[int | None, int | None]:
    if os.geteuid() != 0:
        return None, None
    for user in pwd.getpwall():
        if user.pw_name in ("postgres", "nobody"):
            return user.pw_uid, user.pw_gid
    raise ServerMissing("PostgreSQL refuses to run as root, and there is no user postgres or nobody here.")
