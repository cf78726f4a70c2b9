"""Where pictures are kept: a folder of our own by default."""

import asyncio
from pathlib import Path
from typing import Protocol


class MediaStore(Protocol):
    """Keeps files under names nobody can guess."""

    async def put(self, name: str, data: bytes) -> None:
        """Keep `data` as `name`, which is a plain file name."""

    async def get(self, name: str) -> bytes | None:
        """What was kept, or None."""


class LocalMedia:
    """A folder. Writing goes through a temporary name, so a file is whole or absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, name: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, name, data)

    async def get(self, name: str) -> bytes | None:
        return await asyncio.to_thread(self._read, name)

    def _write(self, name: str, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        half = self.folder / f".{name}.part"
        half.write_bytes(data)
        half.replace(self.folder / name)

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.parent == self.folder and path.is_file() else None
