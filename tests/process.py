"""Runs the `cartwheel` command as a process of its own, as operators do."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from typer.testing import CliRunner

from app import open_shop
from cli import app as command
from events.shop import Shop
from settings import Settings, list_variables
from tests.observe import TIMEOUT_SECONDS

ROOT = Path(__file__).parents[1]
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


def run_cartwheel(
    *arguments: str, env: dict[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command and return its exit code and output."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=env, cwd=cwd or ROOT, capture_output=True, text=True, timeout=120, check=False,
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

    popen: "subprocess.Popen[bytes]"
    log: Path
    url: str = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """Send SIGKILL: the process cannot clean up."""
        self.popen.kill()
        self.popen.wait()

    async def stop(self) -> int:
        """Send SIGTERM, as a deployment does, and return the exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.popen.wait, TIMEOUT_SECONDS)


@asynccontextmanager
async def serve_shop(env: dict[str, str], log: Path, *arguments: str) -> AsyncIterator[Process]:
    """Run `cartwheel serve` during the block; it is ready when the block begins."""
    with log.open("ab") as output:
        log_start = output.tell()
        popen = subprocess.Popen(
            [sys.executable, "-m", "cli", "serve", *arguments],
            env=env | {"PORT": "0"}, cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
    process = Process(popen, log)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            process.url = await read_address(process, log_start)
            await wait_until_ready(process)
        yield process
    finally:
        if popen.poll() is None:
            await process.stop()


async def read_address(process: Process, log_start: int) -> str:
    """Return the address that the process prints into its log behind `log_start`."""
    while not (printed := ADDRESS.search(process.log.read_bytes()[log_start:])):
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
    if process.popen.poll() is not None:
        raise AssertionError(f"the process ended: {process.log.read_text()[-3000:]}")
    await asyncio.sleep(0.05)
