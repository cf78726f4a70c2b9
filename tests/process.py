"""Runs the `cartwheel` command as a process of its own, as operators do."""

import asyncio
import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from typer.testing import CliRunner

from app import open_shop
from cli import app as command
from events.shop import Shop
from settings import Settings, list_variables
from tests.command import run_command
from tests.observe import TIMEOUT_SECONDS

ROOT = Path(__file__).parents[1]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.command"])
ADDRESS = re.compile(rb"Cartwheel: (http://[^/]+:\d+)/")


def process_environment(database_url: str, var_dir: Path, **changes: str) -> dict[str, str]:
    """Return the environment of a process under test, without the developer's own settings."""
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return inherited | {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "VAR_DIR": str(var_dir / "var"),
        "SECRET_KEY": "a secret for tests only, long enough",
        "LOG_FORMAT": "json",
        "DEFAULT_LANGUAGE": "en",
        **changes,
    }


def environment_of(request: pytest.FixtureRequest, var_dir: Path) -> dict[str, str]:
    """The environment of a process on the database that a fixture's parameter names."""
    return process_environment(request.getfixturevalue(request.param), var_dir)


def start_cartwheel(
    *arguments: str, env: dict[str, str], stdout: Path, stderr: Path | None = None
) -> ForkServerProcess:
    """Start the command in a process that is forked from one that has imported the shop."""
    process = FORKS.Process(target=run_command, args=(arguments, env, stdout, stderr or stdout))
    process.start()
    return process


def run_cartwheel(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own and return its exit code and output."""
    with TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        process = start_cartwheel(*arguments, env=env, stdout=stdout, stderr=stderr)
        process.join(TIMEOUT_SECONDS)
        assert process.exitcode is not None, f"{arguments} takes too long"
        return subprocess.CompletedProcess(
            arguments, process.exitcode, stdout.read_text(), stderr.read_text()
        )


def start_interpreter(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command as the shell does, with an interpreter that has imported nothing yet."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def call_cartwheel(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command in a thread of this process, which takes no second to start.

    Not for commands that configure logging: `serve` and `worker`.
    """
    others: dict[str, str | None] = {variable.name: None for variable in list_variables()}
    result = await asyncio.to_thread(CliRunner().invoke, command, arguments, env=others | env)
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


@asynccontextmanager
async def open_shop_of(env: dict[str, str]) -> AsyncIterator[Shop]:
    """The shop of a process with this environment, without jobs, in the process of the test."""
    names = [variable.name for variable in list_variables() if variable.name in env]
    overrides: dict[str, object] = {name.lower(): env[name] for name in names}
    shop = open_shop(Settings.from_environment(env_file=None, **overrides))
    try:
        yield shop
    finally:
        await shop.close()


@dataclass
class Process:
    """A running `cartwheel serve`."""

    forked: ForkServerProcess
    log: Path
    log_start: int
    """Length of the log before it; another process may have written there."""
    url: str = ""

    @classmethod
    def start(cls, env: dict[str, str], log: Path, *arguments: str) -> "Process":
        """Start it on a free port; it serves once its log has its address."""
        log.touch()
        log_start = log.stat().st_size
        return cls(start_cartwheel("serve", *arguments, env=env | {"PORT": "0"}, stdout=log), log, log_start)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        assert self.forked.pid
        return self.forked.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code, or a signal's number below zero; None while it runs."""
        return self.forked.exitcode

    def kill(self) -> None:
        """Send SIGKILL: the process cannot clean up."""
        self.forked.kill()
        self.forked.join()

    async def stop(self) -> int | None:
        """Send SIGTERM, as a deployment does, and return the exit code."""
        self.forked.terminate()
        await asyncio.to_thread(self.forked.join, TIMEOUT_SECONDS)
        return self.exit_code


@asynccontextmanager
async def serve_shop(env: dict[str, str], log: Path, *arguments: str) -> AsyncIterator[Process]:
    """Run `cartwheel serve` during the block; it is ready when the block begins."""
    process = Process.start(env, log, *arguments)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            process.url = await read_address(process)
            await wait_until_ready(process)
        yield process
    finally:
        await process.stop()


@contextmanager
def running_worker(env: dict[str, str], log: Path) -> Iterator[ForkServerProcess]:
    """Run `cartwheel worker` during the block."""
    worker = start_cartwheel("worker", env=env, stdout=log)
    try:
        yield worker
    finally:
        worker.kill()
        worker.join()


async def read_address(process: Process) -> str:
    """Return the address that the process prints into its log."""
    while not (printed := ADDRESS.search(process.log.read_bytes()[process.log_start :])):
        await check_alive(process)
    return printed[1].decode()


async def wait_until_ready(process: Process) -> None:
    async with httpx.AsyncClient(base_url=process.url, timeout=TIMEOUT_SECONDS) as http:
        while True:
            with suppress(httpx.TransportError):
                if (await http.get("/readyz")).status_code == 200:
                    return
            await check_alive(process)


async def check_alive(process: Process) -> None:
    """Fail with the end of the log when the process has ended; else wait a moment."""
    if process.exit_code is not None:
        raise AssertionError(f"the process ended: {process.log.read_text()[-3000:]}")
    await asyncio.sleep(0.02)
