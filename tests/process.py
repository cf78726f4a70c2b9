"""The shop as operators run it: a process of its own, started by the command line."""

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

from tests.observe import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(rb"Cartwheel: (http://[^/]+:\d+)/")


def environment(database_url: str, var_dir: Path, **changes: str) -> dict[str, str]:
    """What a process under test is told; nothing of the developer's own settings gets in."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "VAR_DIR": str(var_dir / "var"),
        "SECRET_KEY": "a secret for tests only, long enough",
        "LOG_FORMAT": "json",
        "DEFAULT_LANGUAGE": "en",
        **changes,
    }


def cartwheel(*words: str, env: dict[str, str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        env=env, cwd=cwd or ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


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
        """kill -9: no chance to tidy up."""
        self.popen.kill()
        self.popen.wait()

    async def stop(self) -> int:
        """Ask it to stop, as a deployment does; its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.popen.wait, PATIENCE_SECONDS)


@asynccontextmanager
async def serving(env: dict[str, str], log: Path, *words: str) -> AsyncIterator[Process]:
    """`cartwheel serve` until the block ends, ready when the block begins."""
    with log.open("ab") as output:
        written = output.tell()
        popen = subprocess.Popen(
            [sys.executable, "-m", "cli", "serve", *words],
            env=env | {"PORT": "0"}, cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
    process = Process(popen, log)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            process.url = await told_address(process, written)
            await ready(process)
        yield process
    finally:
        if popen.poll() is None:
            await process.stop()


async def told_address(process: Process, written: int) -> str:
    """Where it serves, as it says itself behind what was `written` before: nobody else can have that port."""
    while not (told := ADDRESS.search(process.log.read_bytes()[written:])):
        await alive(process)
    return told[1].decode()


async def ready(process: Process) -> None:
    async with httpx.AsyncClient(base_url=process.url, timeout=PATIENCE_SECONDS) as http:
        while True:
            with suppress(httpx.TransportError):
                if (await http.get("/readyz")).status_code == 200:
                    return
            await alive(process)


async def alive(process: Process) -> None:
    if process.popen.poll() is not None:
        raise AssertionError(f"the process ended: {process.log.read_text()[-3000:]}")
    await asyncio.sleep(0.05)
