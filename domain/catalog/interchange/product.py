"""One product out of its rows: the first says what it is, every row may add a variant and a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.html import clean
from domain.catalog.interchange import values
from domain.catalog.interchange.columns import OPTION_NAMES, OPTION_VALUES, Column, Family, Known
from domain.catalog.interchange.problems import Problems
from domain.catalog.interchange.table import Row
from models.catalog import ProductStatus
from models.money import CurrencyCode

NO_OPTION = "Title"
NO_CHOICE = "Default Title"
"""What the format writes for a product that comes in one variant only."""

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TellsOf:
    """What a run of rows says: a product, and its variants with the row of each."""

    row: Row
    product: ProductDraft
    variants: Mapping[Options, tuple[Row, VariantDraft]]


def read_product(rows: Sequence[Row], notes: Problems) -> TellsOf:
    first, *later = rows
    for row in later:
        _refuse_changes(first, row)
    return TellsOf(first, _product(rows, notes), _variants(rows))


def _product(rows: Sequence[Row], notes: Problems) -> ProductDraft:
    row = rows[0]
    if not row.text(Column.TITLE):
        row.refuse(Column.TITLE, "the product has no title")
    category = row.text(Column.CATEGORY)
    taxonomy_id = values.taxonomy_id(category)
    return ProductDraft(
        slug=row.read(Column.HANDLE, values.slug, ""),
        title=row.read(Column.TITLE, values.name, ""),
        description=row.read(Column.BODY, clean, ""),
        brand=row.read(Column.VENDOR, values.name, ""),
        product_type=row.read(Column.TYPE, values.name, ""),
        category_path=() if taxonomy_id else _several(row, Column.CATEGORY, ">"),
        taxonomy_id=taxonomy_id,
        tags=tuple(dict.fromkeys(_several(row, Column.TAGS, ","))),
        status=_status(row, notes),
        seo_title=row.text(Column.SEO_TITLE),
        seo_description=row.text(Column.SEO_DESCRIPTION),
        translations=_translations(row),
        attributes=_attributes(row),
        pictures=_pictures(rows),
        columns=_kept(row, row.heading.unknown_of_product),
        line=row.line,
    )


def _several(row: Row, column: Known, separator: str) -> tuple[str, ...]:
    return row.read(column, lambda text: values.split(text, separator), ())


def _status(row: Row, notes: Problems) -> ProductStatus:
    """A product that is active but not published is not to be seen, which the shop calls a draft."""
    published = row.read(Column.PUBLISHED, values.flag, True)
    unstated = ProductStatus.ACTIVE if published else ProductStatus.DRAFT
    status = row.read(Column.STATUS, values.status, unstated)
    if status is ProductStatus.ACTIVE and not published:
        notes.add(row.line, row.heading.name(Column.STATUS), "active but not published: taken as a draft")
        return ProductStatus.DRAFT
    return status


def _translations(row: Row) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for language in row.heading.languages:
        texts = {
            "title": row.read((Family.TITLE, language), values.name, ""),
            "description": row.read((Family.BODY, language), clean, ""),
        }
        if told := {name: text for name, text in texts.items() if text}:
            found[language] = told
    return found


def _attributes(row: Row) -> dict[str, tuple[str, ...]]:
    found = {code: values.parted(row.text((Family.ATTRIBUTE, code)), ";") for code in row.heading.attributes}
    return {code: told for code, told in found.items() if told}


def _pictures(rows: Sequence[Row]) -> tuple[PictureDraft, ...]:
    found: list[PictureDraft] = []
    for row in rows:
        if row.text(Column.PICTURE):
            url = row.read(Column.PICTURE, values.address, "")
            place = row.read(Column.PICTURE_POSITION, values.position, len(found) + 1)
            found.append(PictureDraft(url, row.text(Column.PICTURE_ALT), place))
        elif row.text(Column.PICTURE_POSITION) or row.text(Column.PICTURE_ALT):
            row.refuse(Column.PICTURE, "a picture without an address")
    return numbered(sorted(found, key=lambda picture: picture.position))


def numbered(pictures: Sequence[PictureDraft]) -> tuple[PictureDraft, ...]:
    return tuple(PictureDraft(each.url, each.alt, place) for place, each in enumerate(pictures, start=1))


def _variants(rows: Sequence[Row]) -> dict[Options, tuple[Row, VariantDraft]]:
    speaking = [row for row in rows if row.any_of(row.heading.variant_cells)]
    names = _option_names(rows)
    if names == (NO_OPTION, "", "") and all(row.text(Column.OPTION1_VALUE) == NO_CHOICE for row in speaking):
        names = ("", "", "")
    found: dict[Options, tuple[Row, VariantDraft]] = {}
    for row in speaking:
        options = _options(row, names)
        if options is None:
            continue
        if options in found:
            row.refuse(Column.OPTION1_VALUE, f"the same variant as in line {found[options][0].line}")
        found[options] = row, _variant(row, options, rows[0])
    return found


def _option_names(rows: Sequence[Row]) -> tuple[str, ...]:
    names: list[str] = []
    for column in OPTION_NAMES:
        naming = [row for row in rows if row.text(column)]
        name = naming[0].read(column, values.name, "") if naming else ""
        for row in naming:
            if row.text(column) != naming[0].text(column):
                row.refuse(column, f"the option is called {values.shown(name)} in line {naming[0].line}")
        if name and name in names:
            naming[0].refuse(column, f"two options are called {values.shown(name)}")
        names.append(name)
    return tuple(names)


def _options(row: Row, names: Sequence[str]) -> Options | None:
    pairs: list[tuple[str, str]] = []
    sound = True
    for column, name in zip(OPTION_VALUES, names, strict=True):
        value = row.read(column, values.name, "")
        if name:
            pairs.append((name, value))
        if name and not value:
            row.refuse(column, f"the option {values.shown(name)} has no value")
            sound = False
        elif value and not name and value != NO_CHOICE:
            row.refuse(column, f"{values.shown(value)} is the value of an option without a name")
            sound = False
    return tuple(pairs) if sound else None


def _variant(row: Row, options: Options, first: Row) -> VariantDraft:
    at = row.heading.at
    columns = _kept(row, row.heading.unknown_of_variant)
    if row is not first:
        columns |= _changed(first, row)
    tracker = row.text(Column.TRACKER)
    if tracker.lower() not in ("", "shopify"):
        columns[Column.TRACKER] = tracker
    return VariantDraft(
        options=options,
        sku=row.read(Column.SKU, values.name, "") or None,
        barcode=row.read(Column.BARCODE, values.name, "") or None,
        prices=_prices(row),
        weight_grams=row.read(Column.GRAMS, values.grams, 0),
        weight_unit=row.read(Column.WEIGHT_UNIT, values.weight_unit, "kg"),
        stock=_stock(row),
        tracked=bool(tracker) or Column.TRACKER not in at,
        sells_when_out=row.read(Column.POLICY, values.sells_when_out, False),
        requires_shipping=row.read(Column.REQUIRES_SHIPPING, values.flag, Column.REQUIRES_SHIPPING not in at),
        taxable=row.read(Column.TAXABLE, values.flag, Column.TAXABLE not in at),
        picture_url=row.read(Column.VARIANT_PICTURE, values.address, "") or None,
        columns=columns,
    )


def _prices(row: Row) -> dict[CurrencyCode, PriceDraft]:
    found: dict[CurrencyCode, PriceDraft] = {}
    for currency, price, before in row.heading.prices:
        amount = row.read(price, values.amount(currency), None)
        compare_at = row.read(before, values.amount(currency), None) or None
        if amount is not None:
            found[currency] = PriceDraft(amount, compare_at)
        elif compare_at and not row.text(price):
            row.refuse(before, "a price before without a price")
    return found


def _stock(row: Row) -> dict[str, int]:
    found = {code: row.read(column, values.whole, None) for code, column in row.heading.stock}
    return {code: units for code, units in found.items() if units is not None}


def _kept(row: Row, places: Mapping[str, int]) -> dict[str, str]:
    return {name: row.cells[place] for name, place in places.items() if row.cells[place].strip()}


def _changed(first: Row, row: Row) -> dict[str, str]:
    """Product columns the shop has no field for, where a later row says something else than the first."""
    kept = _kept(row, row.heading.unknown_of_product)
    return {name: text for name, text in kept.items() if text != first.cells[row.heading.unknown[name]]}


def _refuse_changes(first: Row, row: Row) -> None:
    """What only a product's first row may say must not differ on the others: one of them would be lost."""
    heading = row.heading
    names = [heading.names[place] for place in heading.product_cells if _differs(first, row, place)]
    if not row.any_of(heading.variant_cells):
        names += _changed(first, row)
    for name in names:
        row.problems.add(row.line, name, f"differs from the product's first row, line {first.line}")


def _differs(first: Row, row: Row, place: int) -> bool:
    text = row.cells[place].strip()
    return bool(text) and text != first.cells[place].strip()
