"""The products of a CSV file."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from domain.catalog.csv.column_map import ColumnMap
from domain.catalog.csv.columns import Column, ColumnKey
from domain.catalog.csv.packed_drafts import PackedDrafts, pack_draft, unpack_draft
from domain.catalog.csv.product_rows import ParsedProduct, number_pictures, parse_product
from domain.catalog.csv.table import CsvRow, read_table
from domain.catalog.limits import PICTURE_LIMIT, VARIANT_LIMIT
from domain.catalog.problems import FileProblem, NoteCount, NoteList, ProblemList, quote_value
from domain.catalog.product import ProductDraft
from models.money import CurrencyCode
from text.messages import Message


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """All products of a file, or none of them and every problem it has."""

    file: str
    products: Sequence[ProductDraft]
    problems: tuple[FileProblem, ...]
    notes: tuple[FileProblem, ...] = ()
    """What was taken otherwise than it is written, such as a product that comes twice."""
    columns: frozenset[ColumnKey] = field(default=frozenset(), compare=False)
    format: str = field(default="", compare=False)
    """What the format of the file is called; "" when it cannot be read."""
    note_counts: tuple[NoteCount, ...] = field(default=(), compare=False)


def read_products(
    data: bytes, *, file: str, currency: CurrencyCode, column_map: ColumnMap | None = None
) -> ParsedFile:
    """The products of a CSV file whose plain prices are in `currency`.

    Its format is recognised by the header, or that of `column_map`.

    A blank cell means what the format says: no tracker is stock that is not counted, a blank "Requires
    Shipping" or "Taxable" is false. A column that is absent leaves what the product has; a new product gets
    the shop's default. Without a column for the tracker, a variant is counted where it has a quantity.
    """
    groups = _find_groups(data, file, currency, column_map)
    problems, notes = ProblemList(file), NoteList(file)
    table = read_table(data, problems, notes, currency=currency, column_map=column_map)
    found: dict[str, bytes] = dict.fromkeys(groups.slugs, b"")
    skus = SkuOwners()
    for rows in _group_rows(table.rows, groups) if table else ():
        parsed, slug = parse_product(rows), rows[0].text(Column.HANDLE)
        if found[slug]:
            parsed = _replace_product(unpack_draft(found[slug]), parsed)
        _refuse_too_many(parsed)
        skus.note_repeated(parsed)
        found[slug] = pack_draft(_draft_with_variants(parsed))
    return ParsedFile(
        file,
        PackedDrafts(() if problems.found else found.values()),
        problems.in_order(),
        notes.in_order(),
        table.header.columns if table and found else frozenset(),
        table.format if table else "",
        notes.counts(),
    )


NO_GROUP = -1


@dataclass(frozen=True, slots=True)
class RowGroups:
    """Which rows of a file are of one product, as numbers: a file may have some hundred thousand."""

    slugs: list[str] = field(default_factory=list)
    """The product of each group."""
    last_rows: "array[int]" = field(default_factory=lambda: array("l"))
    """The place of the last row of each group."""
    group_of_row: "array[int]" = field(default_factory=lambda: array("l"))
    """The group of each row; NO_GROUP of one that names no product."""


def _find_groups(data: bytes, file: str, currency: CurrencyCode, column_map: ColumnMap | None) -> RowGroups:
    """The groups of a file.

    Scattered rows go to their product; a title after the rows of another product starts it again.
    """
    table = read_table(data, ProblemList(file), NoteList(file), currency=currency, column_map=column_map)
    groups = RowGroups()
    latest: dict[str, int] = {}
    previous = ""
    for place, row in enumerate(table.rows if table else ()):
        if not (slug := row.text(Column.HANDLE)):
            groups.group_of_row.append(NO_GROUP)
            continue
        if slug not in latest or (slug != previous and row.text(Column.TITLE)):
            latest[slug] = len(groups.slugs)
            groups.slugs.append(slug)
            groups.last_rows.append(place)
        groups.group_of_row.append(latest[slug])
        groups.last_rows[latest[slug]] = place
        previous = slug
    return groups


def _group_rows(rows: Iterable[CsvRow], groups: RowGroups) -> Iterator[list[CsvRow]]:
    """The rows of each group as soon as the last of them is read, so that few are in memory."""
    open_groups: defaultdict[int, list[CsvRow]] = defaultdict(list)
    for place, row in enumerate(rows):
        group = groups.group_of_row[place]
        if group == NO_GROUP:
            row.refuse(Column.HANDLE, Message("the row does not say which product it belongs to"))
            continue
        open_groups[group].append(row)
        if place == groups.last_rows[group]:
            yield open_groups.pop(group)


def _replace_product(earlier: ProductDraft, later: ParsedProduct) -> ParsedProduct:
    """What two files would make of the product, imported one after the other."""
    row = later.row
    before = {variant.options: (row, variant) for variant in earlier.variants}
    option_names = {tuple(name for name, _ in options) for options in (*before, *later.variants)}
    if len(option_names) > 1:
        row.refuse(Column.OPTION1_NAME, Message("other options than in line {line}", line=str(earlier.line)))
    same = len(before.keys() & later.variants.keys())
    row.note(
        Column.HANDLE,
        Message(
            "{product} is in line {line} already: its fields and {same} of its variants are replaced",
            product=quote_value(later.product.slug),
            line=str(earlier.line),
            same=same,
        ),
    )
    pictures = {picture.url: picture for picture in (*earlier.pictures, *later.product.pictures)}
    product = replace(later.product, pictures=number_pictures(list(pictures.values())))
    return ParsedProduct(row, product, {**before, **later.variants})


def _refuse_too_many(parsed: ParsedProduct) -> None:
    if len(parsed.variants) > VARIANT_LIMIT:
        parsed.row.refuse(Column.HANDLE, Message("more than {limit} variants", limit=VARIANT_LIMIT))
    if len(parsed.product.pictures) > PICTURE_LIMIT:
        parsed.row.refuse(Column.PICTURE, Message("more than {limit} pictures", limit=PICTURE_LIMIT))


LINE_BITS = 32
"""Of one number that holds a hash and the line of a file: a pair of two takes four times the memory."""


class SkuOwners:
    """The variant that has each SKU first: other software gives one SKU to several."""

    def __init__(self) -> None:
        self.owners: dict[str, int] = {}
        """SKU -> hash of product and options, shifted, and line."""

    def note_repeated(self, parsed: ParsedProduct) -> None:
        """Notes on SKUs that other variants have, too: those name no variant any more."""
        for row, variant in parsed.variants.values():
            if variant.sku is None:
                continue
            variant_key = hash((parsed.product.slug, variant.options))
            first = self.owners.setdefault(variant.sku, (variant_key << LINE_BITS) | row.line)
            owner, line = first >> LINE_BITS, first & ((1 << LINE_BITS) - 1)
            if owner != variant_key:
                row.note(
                    Column.SKU,
                    Message(
                        "the SKU {sku} stands in line {line} already: it does not name one variant",
                        sku=quote_value(variant.sku),
                        line=str(line),
                    ),
                )


def _draft_with_variants(parsed: ParsedProduct) -> ProductDraft:
    return replace(parsed.product, variants=tuple(variant for _, variant in parsed.variants.values()))
