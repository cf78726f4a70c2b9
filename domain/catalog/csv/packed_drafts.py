"""The products of a large file, packed: as objects, those of 100,000 products take half a gigabyte."""

import pickle
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import overload

from domain.catalog.product import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from models.money import CurrencyCode, Money

LEVEL = 1
"""Of zlib: the quickest."""


def pack_draft(draft: ProductDraft) -> bytes:
    packer = zlib.compressobj(LEVEL, zdict=pickled_example())
    return packer.compress(pickle_draft(draft)) + packer.flush()


def unpack_draft(packed: bytes) -> ProductDraft:
    """The draft that this process has packed."""
    pickled = zlib.decompressobj(zdict=pickled_example()).decompress(packed)
    draft: ProductDraft = pickle.loads(pickled)  # noqa: S301 - never from outside
    return draft


def pickle_draft(draft: ProductDraft) -> bytes:
    return pickle.dumps(draft, pickle.HIGHEST_PROTOCOL)


@cache
def pickled_example() -> bytes:
    """What all drafts have in common, such as the names of their fields: a draft keeps only the rest."""
    prices = {CurrencyCode.USD: PriceDraft(Money(1, CurrencyCode.USD))}
    variants = tuple(
        VariantDraft(sku=sku, barcode=None, prices=prices, options=(("Size", sku),)) for sku in ("S", "M")
    )
    pictures = (PictureDraft("https://pics.test/1"),)
    return pickle_draft(ProductDraft(slug="slug", title="Title", variants=variants, pictures=pictures))


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
