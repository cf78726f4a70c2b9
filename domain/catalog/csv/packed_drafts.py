"""The products of a large file, packed: as objects, those of 100,000 products take half a gigabyte."""

import pickle
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from domain.catalog.product import ProductDraft

LEVEL = 1
"""Of zlib: the quickest."""


def pack_draft(draft: ProductDraft) -> bytes:
    return zlib.compress(pickle.dumps(draft, pickle.HIGHEST_PROTOCOL), LEVEL)


def unpack_draft(packed: bytes) -> ProductDraft:
    """The draft that this process has packed."""
    draft: ProductDraft = pickle.loads(zlib.decompress(packed))  # noqa: S301 - never from outside
    return draft


class PackedDrafts(Sequence[ProductDraft]):
    """Drafts in their order; each is unpacked when it is asked for."""

    def __init__(self, packed: Iterable[bytes]) -> None:
        self.packed = list(packed)

    def __len__(self) -> int:
        return len(self.packed)

    @overload
    def __getitem__(self, place: int) -> ProductDraft: ...
    @overload
    def __getitem__(self, place: slice) -> "PackedDrafts": ...
    def __getitem__(self, place: int | slice) -> "ProductDraft | PackedDrafts":
        if isinstance(place, slice):
            return PackedDrafts(self.packed[place])
        return unpack_draft(self.packed[place])

    def __iter__(self) -> Iterator[ProductDraft]:
        return map(unpack_draft, self.packed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self.packed))
