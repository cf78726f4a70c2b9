"""Matching the variants of a draft with those of the shop, so that ids survive every import."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from domain.catalog.product.drafts import VariantDraft
from models import Variant


@dataclass(slots=True)
class VariantMatch:
    """A variant's draft and the row it is saved to; None where there is none yet."""

    draft: VariantDraft
    row: Variant | None = None


def match_variants(
    drafts: Sequence[VariantDraft], rows: Sequence[Variant], ids: Sequence[int | None] = ()
) -> tuple[list[VariantMatch], list[Variant]]:
    """The drafts with their rows, and the rows no draft matches.

    They match by id where one is given, else by a SKU that names one of each, else by equal options, rows on
    sale first.
    """
    matches = [VariantMatch(draft) for draft in drafts]
    free = {row.id: row for row in rows}
    for match, row_id in zip(matches, ids, strict=False):
        match.row = free.pop(row_id, None) if row_id is not None else None
    skus = Counter(row.sku for row in free.values() if row.archived_at is None)
    drafted = Counter(draft.sku for draft in drafts)
    archived_last = sorted(free.values(), key=lambda row: row.archived_at is None)
    by_sku = {
        row.sku: row for row in archived_last if row.sku and skus[row.sku] <= 1 and drafted[row.sku] == 1
    }
    for match in matches:
        if match.row is None and match.draft.sku in by_sku:
            match.row = free.pop(by_sku.pop(match.draft.sku).id)
    archived_first = sorted(free.values(), key=lambda row: (row.archived_at is None, -row.position, -row.id))
    by_options = {options_of(row): row for row in archived_first}
    for match in matches:
        if match.row is None and match.draft.options in by_options:
            match.row = free.pop(by_options.pop(match.draft.options).id)
    return matches, list(free.values())


def options_of(row: Variant) -> tuple[tuple[str, str], ...]:
    return tuple((option["name"], option["value"]) for option in row.options)
