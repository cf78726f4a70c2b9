from typing import Protocol


class MediaUnavailable(Exception):
    """The store cannot be reached, or refuses access: nothing was stored."""


class MediaStore(Protocol):
    """Stores files by name; each method may raise MediaUnavailable."""

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        """Store `data` as `name`, a plain file name, in place of what has this name."""

    async def get(self, name: str) -> bytes | None:
        """The data of a file; None without one."""

    async def has(self, name: str) -> bool:
        """Whether there is a file of this name."""

    async def delete(self, name: str) -> None:
        """Delete a file; nothing happens without one."""
