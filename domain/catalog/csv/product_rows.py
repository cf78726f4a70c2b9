"""Parsing the rows of one product: the first describes it, every row may add a variant and a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.catalog.csv import cells
from domain.catalog.csv.columns import OPTION_NAMES, OPTION_VALUES, Column, ColumnFamily, ColumnKey
from domain.catalog.csv.spreadsheet import has_wrong_check_digit, is_shortened
from domain.catalog.csv.table import CsvRow
from domain.catalog.problems import quote_value
from domain.catalog.product import (
    PRODUCT_TEXTS,
    TRANSLATED_TEXTS,
    VARIANT_TEXTS,
    PictureDraft,
    PriceDraft,
    ProductDraft,
    VariantDraft,
    parse_picture_url,
    parse_slug,
    removed_html,
    with_product_texts,
    with_variant_texts,
)
from models.catalog import SOLD_STATUSES, ProductStatus
from models.money import CurrencyCode
from text.messages import Message

NO_OPTION = "Title"
NO_CHOICE = "Default Title"
"""What the format writes for a product that comes in one variant only."""

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ParsedProduct:
    """The content of a run of rows: a product, and its variants with the row of each."""

    row: CsvRow
    product: ProductDraft
    variants: Mapping[Options, tuple[CsvRow, VariantDraft]]


def parse_product(rows: Sequence[CsvRow]) -> ParsedProduct:
    """The product of these rows; what is wrong is added to the problems of the rows."""
    first, *later = rows
    for row in later:
        _refuse_changes(first, row)
    return ParsedProduct(first, _parse_fields(rows), _parse_variants(rows))


def _parse_fields(rows: Sequence[CsvRow]) -> ProductDraft:
    row = rows[0]
    for name, text in PRODUCT_TEXTS.items():
        if text.required and not row.text(text.column) and not row.is_refused(text.column):
            row.refuse(text.column, Message("the product has no {name}", name=name))
    category = row.text(Column.CATEGORY)
    taxonomy_id = cells.parse_taxonomy_id(category)
    draft = ProductDraft(
        slug=row.read(Column.HANDLE, parse_slug, ""),
        category_path=() if taxonomy_id else _parse_names(row, Column.CATEGORY, ">"),
        taxonomy_id=taxonomy_id,
        tags=tuple(dict.fromkeys(_parse_names(row, Column.TAGS, ","))),
        status=_parse_product_status(row),
        translations=_parse_translations(row),
        attributes=_parse_attributes(row),
        pictures=_parse_pictures(rows),
        columns=_unknown_values(row, row.header.unknown_of_product),
        line=row.line,
    )
    texts = {name: row.read(text.column, text.parse, "") for name, text in PRODUCT_TEXTS.items()}
    for name, text in PRODUCT_TEXTS.items():
        if text.html:
            _note_removed_html(row, text.column, texts[name])
    return with_product_texts(draft, texts)


def _note_removed_html(row: CsvRow, column: ColumnKey, cleaned: str) -> None:
    """A note on each tag and attribute that the HTML of a cell has lost."""
    if not row.is_refused(column):
        for name in removed_html(row.text(column), cleaned):
            row.note(column, Message("{name} is removed from the HTML", name=name), about=name)


def _parse_names(row: CsvRow, column: ColumnKey, separator: str) -> tuple[str, ...]:
    return row.read(column, lambda text: cells.split_names(text, separator), ())


def _parse_product_status(row: CsvRow) -> ProductStatus:
    """A product that is active or unlisted but not published is hidden from customers: a draft."""
    published = row.read(Column.PUBLISHED, cells.parse_flag, True)
    unstated = ProductStatus.ACTIVE if published else ProductStatus.DRAFT
    status = row.read(Column.STATUS, cells.parse_status, unstated)
    if status in SOLD_STATUSES and not published:
        row.note(Column.STATUS, Message("active but not published: taken as a draft"))
        return ProductStatus.DRAFT
    return status


def _parse_translations(row: CsvRow) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for language in row.header.languages:
        texts = {
            name: row.read((text.column, language), text.parse, "") for name, text in TRANSLATED_TEXTS.items()
        }
        for name, text in TRANSLATED_TEXTS.items():
            if text.html:
                _note_removed_html(row, (text.column, language), texts[name])
        if given := {name: each for name, each in texts.items() if each}:
            found[language] = given
    return found


def _parse_attributes(row: CsvRow) -> dict[str, tuple[str, ...]]:
    found = {
        code: cells.split_values(row.text((ColumnFamily.ATTRIBUTE, code)), ";")
        for code in row.header.attributes
    }
    return {code: values for code, values in found.items() if values}


def _parse_pictures(rows: Sequence[CsvRow]) -> tuple[PictureDraft, ...]:
    found: list[PictureDraft] = []
    for row in rows:
        if row.text(Column.PICTURE):
            url = row.read(Column.PICTURE, parse_picture_url, "")
            position = row.read(Column.PICTURE_POSITION, cells.parse_position, len(found) + 1)
            translations = {
                language: alt
                for language in row.header.picture_languages
                if (alt := row.text((Column.PICTURE_ALT, language)))
            }
            found.append(PictureDraft(url, row.text(Column.PICTURE_ALT), position, translations))
        elif row.text(Column.PICTURE_POSITION) or row.text(Column.PICTURE_ALT):
            row.refuse(Column.PICTURE, Message("a picture without an address"))
    return number_pictures(sorted(found, key=lambda picture: picture.position))


def number_pictures(pictures: Sequence[PictureDraft]) -> tuple[PictureDraft, ...]:
    """The pictures with positions from 1, in the order given."""
    return tuple(replace(each, position=position) for position, each in enumerate(pictures, start=1))


def _parse_variants(rows: Sequence[CsvRow]) -> dict[Options, tuple[CsvRow, VariantDraft]]:
    variant_rows = [row for row in rows if row.has_value_in(row.header.variant_cells)]
    names = _parse_option_names(rows)
    if (
        names[0] == NO_OPTION
        and not any(names[1:])
        and all(row.text(Column.OPTION1_VALUE) == NO_CHOICE for row in variant_rows)
    ):
        names = ("",) * len(names)
    translated_names = _parse_option_name_translations(rows)
    found: dict[Options, tuple[CsvRow, VariantDraft]] = {}
    for row in variant_rows:
        options = _parse_options(row, names)
        if options is None:
            continue
        if options in found:
            row.refuse(
                Column.OPTION1_VALUE,
                Message("the same variant as in line {line}", line=str(found[options][0].line)),
            )
        draft = _parse_variant(row, options, rows[0])
        places = [place for place, name in enumerate(names) if name]
        translations = _parse_option_translations(row, translated_names, places)
        found[options] = row, replace(draft, option_translations=translations)
    return found


def _parse_option_name_translations(rows: Sequence[CsvRow]) -> dict[tuple[int, str], str]:
    """The names of options by place and language; the first row that has one says it."""
    return {
        (place, language): text
        for row in reversed(rows)
        for place, column in enumerate(OPTION_NAMES)
        for language in row.header.option_languages
        if (text := row.read((column, language), cells.parse_name, ""))
    }


def _parse_option_translations(
    row: CsvRow, names: Mapping[tuple[int, str], str], places: Sequence[int]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Names and values of the options of a variant by language, of the options that it has."""
    found = {
        language: tuple(
            (
                names.get((place, language), ""),
                row.read((OPTION_VALUES[place], language), cells.parse_name, ""),
            )
            for place in places
        )
        for language in row.header.option_languages
    }
    return {language: pairs for language, pairs in found.items() if any(map(any, pairs))}


def _parse_option_names(rows: Sequence[CsvRow]) -> tuple[str, ...]:
    names: list[str] = []
    for column in OPTION_NAMES:
        naming = [row for row in rows if row.text(column)]
        name = naming[0].read(column, cells.parse_name, "") if naming else ""
        for row in naming:
            if row.text(column) != naming[0].text(column):
                row.refuse(
                    column,
                    Message(
                        "the option is called {name} in line {line}",
                        name=quote_value(name),
                        line=str(naming[0].line),
                    ),
                )
        if name and name in names:
            naming[0].refuse(column, Message("two options are called {name}", name=quote_value(name)))
        names.append(name)
    return tuple(names)


def _parse_options(row: CsvRow, names: Sequence[str]) -> Options | None:
    pairs: list[tuple[str, str]] = []
    valid = True
    for column, name in zip(OPTION_VALUES, names, strict=True):
        value = row.read(column, cells.parse_name, "")
        if name:
            pairs.append((name, value))
        if name and not value:
            row.refuse(column, Message("the option {name} has no value", name=quote_value(name)))
            valid = False
        elif value and not name and value != NO_CHOICE:
            row.refuse(
                column, Message("{value} is the value of an option without a name", value=quote_value(value))
            )
            valid = False
    return tuple(pairs) if valid else None


def _parse_variant(row: CsvRow, options: Options, first: CsvRow) -> VariantDraft:
    """One variant; a blank cell means what the format says, an absent column the shop's default."""
    at = row.header.at
    columns = _unknown_values(row, row.header.unknown_of_variant)
    if row is not first:
        columns |= _changed_values(first, row)
    tracker = row.text(Column.TRACKER)
    if tracker.lower() not in ("", "shopify"):
        columns[Column.TRACKER] = tracker
    stock = _parse_stock(row)
    tracked = bool(tracker) if Column.TRACKER in at else bool(stock)
    if any(stock.values()) and not tracked:
        row.note(Column.TRACKER, Message("no tracker: the variant is not counted, its quantity is left out"))
    if tracker and not any(column in at for _, column in row.header.stock):
        row.note(Column.TRACKER, Message("counted, but without a quantity: none is in stock"))
    draft = VariantDraft(
        options=options,
        prices=_parse_prices(row),
        weight_grams=row.read(Column.GRAMS, cells.parse_grams, 0),
        weight_unit=row.read(Column.WEIGHT_UNIT, cells.parse_weight_unit, "kg"),
        size=row.read(Column.SIZE, cells.parse_size, None),
        stock=stock if tracked else {},
        tracked=tracked,
        sells_when_out=row.read(Column.POLICY, cells.parse_inventory_policy, False),
        requires_shipping=row.read(
            Column.REQUIRES_SHIPPING, cells.parse_flag, Column.REQUIRES_SHIPPING not in at
        ),
        taxable=row.read(Column.TAXABLE, cells.parse_flag, Column.TAXABLE not in at),
        picture_url=row.read(Column.VARIANT_PICTURE, parse_picture_url, "") or None,
        columns=columns,
    )
    texts = {name: row.read(text.column, text.parse, "") for name, text in VARIANT_TEXTS.items()}
    for name, text in VARIANT_TEXTS.items():
        if is_shortened(texts[name]):
            reason = Message(
                "digits of {text} are lost: a spreadsheet has shortened it", text=quote_value(texts[name])
            )
            row.note(text.column, reason)
    if has_wrong_check_digit(texts["barcode"]):
        reason = Message("the check digit of {text} is wrong", text=quote_value(texts["barcode"]))
        row.note(VARIANT_TEXTS["barcode"].column, reason)
    return with_variant_texts(draft, texts)


def _parse_prices(row: CsvRow) -> dict[CurrencyCode, PriceDraft]:
    found: dict[CurrencyCode, PriceDraft] = {}
    for currency, price, before in row.header.prices:
        amount = row.read(price, cells.amount_parser(currency), None)
        compare_at = row.read(before, cells.amount_parser(currency), None) or None
        for column in (price, before):
            if cells.is_ambiguous(row.text(column)) and not row.is_refused(column):
                reason = Message(
                    "{text} is read as thousands, not as decimals", text=quote_value(row.text(column))
                )
                row.note(column, reason)
        if amount is not None:
            found[currency] = PriceDraft(amount, compare_at)
        elif compare_at and not row.text(price):
            row.refuse(before, Message("a price before without a price"))
    return found


def _parse_stock(row: CsvRow) -> dict[str, int]:
    """Units by warehouse; a negative quantity is 0."""
    found: dict[str, int] = {}
    for code, column in row.header.stock:
        units = row.read(column, cells.parse_units, None)
        if units is not None and units < 0:
            row.note(column, Message("{text} is negative: taken as 0", text=quote_value(row.text(column))))
        if units is not None:
            found[code] = max(units, 0)
    return found


def _unknown_values(row: CsvRow, places: Mapping[str, int]) -> dict[str, str]:
    return {name: row.cells[at] for name, at in places.items() if row.cells[at].strip()}


def _changed_values(first: CsvRow, row: CsvRow) -> dict[str, str]:
    """Unknown product columns in which a later row differs from the first."""
    values = _unknown_values(row, row.header.unknown_of_product)
    return {name: text for name, text in values.items() if text != first.cells[row.header.unknown[name]]}


def _refuse_changes(first: CsvRow, row: CsvRow) -> None:
    """Refuse a later row whose product columns differ from the first: one of the two would be lost."""
    header = row.header
    names = [header.names[at] for at in header.product_cells if _is_changed(first, row, at)]
    if not row.has_value_in(header.variant_cells):
        names += _changed_values(first, row)
    for name in names:
        row.problems.add(
            row.line, name, Message("differs from the product's first row, line {line}", line=str(first.line))
        )


def _is_changed(first: CsvRow, row: CsvRow, at: int) -> bool:
    text = row.cells[at].strip()
    return bool(text) and text != first.cells[at].strip()
