from typing import Protocol


class MediaUnavailable(Exception):
    """The store cannot be reached, or refuses us: nothing was kept."""


class MediaStore(Protocol):
    """Keeps files under names nobody can guess; each method may raise MediaUnavailable."""

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        """Keep `data` as `name`, which is a plain file name."""

    async def get(self, name: str) -> bytes | None:
        """What was kept, or None."""

    async def delete(self, name: str) -> None:
        """Keep it no longer; what is gone already is as good."""
