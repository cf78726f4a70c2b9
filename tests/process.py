"""The shop as operators run it: a process of its own, started by the command line."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
START_SECONDS = 30.0
STOP_SECONDS = 20.0


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
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """kill -9: no chance to tidy up."""
        self.popen.kill()
        self.popen.wait()

    async def stop(self) -> int:
        """Ask it to stop, as a deployment does; its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.popen.wait, STOP_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(env: dict[str, str], log: Path, *words: str) -> AsyncIterator[Process]:
    """`cartwheel serve` until the block ends, ready when the block begins."""
    port = free_port()
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", "cli", "serve", *words],
            env=env | {"PORT": str(port)}, cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
    process = Process(popen, port, log)
    try:
        await ready(process)
        yield process
    finally:
        if popen.poll() is None:
            await process.stop()


async def ready(process: Process) -> None:
    async with httpx.AsyncClient(base_url=process.url) as http, asyncio.timeout(START_SECONDS):
        while process.popen.poll() is None:
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError(f"the process ended: {process.log.read_text()[-3000:]}")
