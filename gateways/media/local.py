import asyncio
from pathlib import Path


class LocalMedia:
    """A local folder. Files are written under a temporary name first, so each is whole or absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        """Store a file; its content type is not stored, since the extension of the name tells it."""
        await asyncio.to_thread(self._write, name, data)

    async def get(self, name: str) -> bytes | None:
        return await asyncio.to_thread(self._read, name)

    async def has(self, name: str) -> bool:
        path = self._path(name)
        return path is not None and await asyncio.to_thread(path.is_file)

    async def delete(self, name: str) -> None:
        if (path := self._path(name)) is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def _path(self, name: str) -> Path | None:
        """The path of a file; None for a name that leads out of the folder."""
        path = self.folder / name
        return path if path.parent == self.folder and name not in (".", "..") else None

    def _write(self, name: str, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".{name}.part"
        partial.write_bytes(data)
        partial.replace(self.folder / name)

    def _read(self, name: str) -> bytes | None:
        path = self._path(name)
        return path.read_bytes() if path and path.is_file() else None
