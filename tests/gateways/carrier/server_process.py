"""A server of a carrier's protocol in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]
START_LIMIT_SECONDS = 60.0


@contextmanager
def carrier_server(name: str) -> Iterator[str]:
    """The address of `bench.provider_servers.<name>`, which runs until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", f"bench.provider_servers.{name}", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        until = time.monotonic() + START_LIMIT_SECONDS
        while True:
            try:
                httpx.post(f"{address}/control/reset", json={})
                break
            except httpx.TransportError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()
