"""Which variant of a draft is which variant of the shop: ids survive every import."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.catalog.drafts import VariantDraft
from models import Variant


@dataclass(slots=True)
class Pair:
    """What a variant shall be, and the row that is to become it; None when there is none yet."""

    draft: VariantDraft
    row: Variant | None = None


def pair(
    drafts: Sequence[VariantDraft], rows: Sequence[Variant], ids: Sequence[int | None] = ()
) -> tuple[list[Pair], list[Variant]]:
    """Pairs by id where one is given, else by SKU, else by the same options; and the rows left over."""
    pairs = [Pair(draft) for draft in drafts]
    free = {row.id: row for row in rows}
    for each, row_id in zip(pairs, ids, strict=False):
        each.row = free.pop(row_id, None) if row_id is not None else None
    by_sku = {row.sku: row for row in free.values() if row.sku}
    for each in pairs:
        if each.row is None and each.draft.sku in by_sku:
            each.row = free.pop(by_sku.pop(each.draft.sku).id)
    archived_first = sorted(free.values(), key=lambda row: (row.archived_at is None, -row.position, -row.id))
    by_options = {options_of(row): row for row in archived_first}
    for each in pairs:
        if each.row is None and each.draft.options in by_options:
            each.row = free.pop(by_options.pop(each.draft.options).id)
    return pairs, list(free.values())


def options_of(row: Variant) -> tuple[tuple[str, str], ...]:
    return tuple((option["name"], option["value"]) for option in row.options)
