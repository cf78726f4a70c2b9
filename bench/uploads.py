"""The memory of a process while pictures of huge dimensions are uploaded to it, all at once."""

import asyncio
import math
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image

from bench.arguments import read_arguments
from domain.media import EXPENSIVE_PIXEL_LIMIT, PIXEL_LIMIT
from edge.commands.ask import sign_in
from tests.process import process_environment, run_cartwheel, serve_shop

PICTURES = 6
MODES = {"PNG": "RGBA", "WEBP": "RGB", "JPEG": "RGB"}
LIMIT_BYTES = 600_000_000
LOGIN, PASSWORD = "emma@example.com", "cartwheel-demo"
TIMEOUT_SECONDS = 300.0


def main() -> int:
    """Print the memory after each format; the exit code, 1 where a process took more than LIMIT_BYTES."""
    read_arguments(__doc__)
    return max(asyncio.run(upload_at_once(name, mode)) for name, mode in MODES.items())


async def upload_at_once(name: str, mode: str) -> int:
    side = math.isqrt(EXPENSIVE_PIXEL_LIMIT if name == "WEBP" else PIXEL_LIMIT)
    data = draw_picture(name, mode, side)
    with tempfile.TemporaryDirectory() as folder:
        env = process_environment(f"sqlite:///{folder}/shop.db", Path(folder), LOG_LEVEL="WARNING")
        run_cartwheel("demo", env=env).check_returncode()
        async with serve_shop(env, Path(folder) / "log") as server:
            before, started = peak_memory(server.pid), time.perf_counter()
            statuses = await upload_pictures(server.url, data)
            seconds, peak = time.perf_counter() - started, peak_memory(server.pid)
    sys.stdout.write(
        f"{PICTURES} x {name} of {len(data) // 1000} kB, {side} x {side}: {statuses}, {seconds:.1f} s,"
        f" from {before // 1_000_000} to at most {peak // 1_000_000} MB\n"
    )
    return 0 if peak <= LIMIT_BYTES and set(statuses) == {201} else 1


async def upload_pictures(url: str, data: bytes) -> list[int]:
    """Upload the same picture PICTURES times at once; the statuses of the answers."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as http:
        headers = {"Authorization": f"Bearer {sign_in(http, LOGIN, PASSWORD)}"}
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as client:
        uploads = (client.post("/media", content=data, headers=headers) for _ in range(PICTURES))
        return [answer.status_code for answer in await asyncio.gather(*uploads)]


def draw_picture(name: str, mode: str, side: int) -> bytes:
    """A plain picture, which is small as a file and large in memory."""
    file = BytesIO()
    Image.new(mode, (side, side), "red").save(file, name)
    return file.getvalue()


def peak_memory(pid: int) -> int:
    """The most memory that a process has had, in bytes (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) * 1024
