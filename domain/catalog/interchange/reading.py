from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from domain.catalog.drafts import ProductDraft
from domain.catalog.interchange.columns import Column, Told
from domain.catalog.interchange.problems import Problem, Problems
from domain.catalog.interchange.product import TellsOf, numbered, read_product
from domain.catalog.interchange.table import Row, read_rows
from domain.catalog.interchange.values import shown
from models.money import CurrencyCode

VARIANT_LIMIT = 2_048
"""Variants of one product."""

PICTURE_LIMIT = 250
"""Pictures of one product."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: all its products, or none of them and every problem it has.

    `notes` tell what was taken in another sense than the file's words, such as a product told twice.
    """

    file: str
    products: tuple[ProductDraft, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()
    told: frozenset[Told] = field(default=frozenset(), compare=False)
    """What the file has columns for."""


def read_products(data: bytes, *, file: str, currency: CurrencyCode) -> Reading:
    """The products of a CSV file whose plain prices are in `currency`.

    Blank cells mean what the format says: no tracker is stock that is not counted, no word of shipping or
    tax is neither. A column that is absent altogether leaves what the product has, and of a new one the
    shop's default.
    """
    problems, notes = Problems(file), Problems(file)
    products: dict[str, TellsOf] = {}
    for slug, rows in _runs(read_rows(data, problems, notes, currency=currency)):
        one = read_product(rows, notes)
        products[slug] = _told_again(products[slug], one, notes) if slug in products else one
    _refuse_too_many(products.values())
    _refuse_repeated_skus(products.values())
    taken = () if problems.found else tuple(map(_whole, products.values()))
    told = next((each.row.heading.told for each in products.values()), frozenset[Told]())
    return Reading(file, taken, problems.told(), notes.told(), told)


def _runs(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of each product. Scattered rows find their product; a title after others' rows starts anew."""
    runs: list[tuple[str, list[Row]]] = []
    latest: dict[str, list[Row]] = {}
    previous = ""
    for row in rows:
        slug = row.text(Column.HANDLE)
        if not slug:
            row.refuse(Column.HANDLE, "the row does not say which product it belongs to")
            continue
        if slug not in latest or (slug != previous and row.text(Column.TITLE)):
            latest[slug] = []
            runs.append((slug, latest[slug]))
        latest[slug].append(row)
        previous = slug
    return runs


def _told_again(earlier: TellsOf, later: TellsOf, notes: Problems) -> TellsOf:
    """As if the file had been two, imported one after the other."""
    row = later.row
    named = {tuple(name for name, _ in options) for options in (*earlier.variants, *later.variants)}
    if len(named) > 1:
        row.refuse(Column.OPTION1_NAME, f"other options than in line {earlier.row.line}")
    same = len(earlier.variants.keys() & later.variants.keys())
    told = f"{shown(later.product.slug)} was told in line {earlier.row.line}"
    notes.add(
        row.line,
        row.heading.name(Column.HANDLE),
        f"{told}: its fields and {same} of its variants are replaced",
    )
    pictures = {picture.url: picture for picture in (*earlier.product.pictures, *later.product.pictures)}
    product = replace(later.product, pictures=numbered(list(pictures.values())))
    return TellsOf(row, product, {**earlier.variants, **later.variants})


def _refuse_too_many(products: Iterable[TellsOf]) -> None:
    for told in products:
        if len(told.variants) > VARIANT_LIMIT:
            told.row.refuse(Column.HANDLE, f"more than {VARIANT_LIMIT:,} variants")
        if len(told.product.pictures) > PICTURE_LIMIT:
            told.row.refuse(Column.PICTURE, f"more than {PICTURE_LIMIT} pictures")


def _refuse_repeated_skus(products: Iterable[TellsOf]) -> None:
    owners: dict[str, Row] = {}
    for told in products:
        for row, variant in told.variants.values():
            if variant.sku is None:
                continue
            owner = owners.setdefault(variant.sku, row)
            if owner is not row:
                first, second = sorted((owner, row), key=lambda each: each.line)
                second.refuse(Column.SKU, f"the SKU {shown(variant.sku)} stands in line {first.line} already")


def _whole(told: TellsOf) -> ProductDraft:
    return replace(told.product, variants=tuple(variant for _, variant in told.variants.values()))
