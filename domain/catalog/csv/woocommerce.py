"""Product exports of WooCommerce: a row for each product, and one for each variation of a variable product.

https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain.catalog.csv.cells import join_values
from domain.catalog.csv.columns import (
    OPTION_NAMES,
    OPTION_VALUES,
    Column,
    ColumnFamily,
    family_column,
    normalize_name,
)
from domain.catalog.csv.formats import ConvertedFile, FileRow
from domain.catalog.problems import NoteList, ProblemList, list_names, quote_value
from domain.catalog.slugs import slug_of
from text.messages import Message

REQUIRED = frozenset({"type", "name", "regular price"})
WOOCOMMERCE = "WooCommerce"
VARIATION, VARIABLE = "variation", "variable"
NOT_SOLD_HERE = frozenset({"grouped", "external"})
"""Types of products that have nothing of their own that could be bought in the shop."""

ANY = "Any"
"""The value of an option that a variation leaves to the customer."""

SKU_OF_PRODUCT = "SKU of the product"
"""The column that keeps the SKU of a product whose variations have SKUs of their own."""

MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4, "yd": 914.4}
SIDES = ("length", "width", "height")
GRAMS = {"kg": 1000.0, "g": 1.0, "lbs": 453.59237, "oz": 28.349523125}
UNITS = {"kg": "kg", "g": "g", "lbs": "lb", "oz": "oz"}

SOURCES: Mapping[str, str] = {
    Column.HANDLE: "name",
    Column.TITLE: "name",
    Column.BODY: "description",
    Column.VENDOR: "brands",
    Column.CATEGORY: "categories",
    Column.TAGS: "tags",
    Column.STATUS: "published",
    Column.SKU: "sku",
    Column.BARCODE: "gtin upc ean or isbn",
    Column.PRICE: "regular price",
    Column.COMPARE_AT: "regular price",
    Column.TRACKER: "stock",
    Column.QUANTITY: "stock",
    Column.POLICY: "backorders allowed",
    Column.GRAMS: "weight",
    Column.WEIGHT_UNIT: "weight",
    Column.SIZE: "length",
    Column.REQUIRES_SHIPPING: "type",
    Column.TAXABLE: "tax status",
    Column.PICTURE: "images",
    Column.VARIANT_PICTURE: "images",
}
"""Columns of the shop's format, and the column of the export that each comes from."""

ALSO_READ = frozenset(
    {
        "width",
        "height",
        "sale price",
        "date sale price starts",
        "date sale price ends",
        "in stock",
        "parent",
        "visibility in catalog",
    }
)
_ATTRIBUTE = re.compile(r"attribute ([0-9]+) (name|value s|visible|global|default)")
_WEIGHT = re.compile(r"Weight \((kg|g|lbs|oz)\)", re.IGNORECASE)
_SIDE = re.compile(r"(Length|Width|Height) \((mm|cm|m|in|yd)\)", re.IGNORECASE)
_COMMA = re.compile(r"(?<!\\),")


@dataclass(slots=True)
class ExportRow:
    """One row of the export, its cells by the normalized names of their columns."""

    line: int
    cells: Mapping[str, str]
    variations: list["ExportRow"] = field(default_factory=list)

    def text(self, name: str) -> str:
        return self.cells.get(name, "")

    @property
    def types(self) -> set[str]:
        return {each.strip().lower() for each in self.text("type").split(",")}

    def values(self, name: str) -> list[str]:
        """The values of a cell that holds several."""
        return [part.replace("\\,", ",").strip() for part in _COMMA.split(self.text(name)) if part.strip()]

    def attributes(self, places: Sequence[int]) -> dict[str, list[str]]:
        """The values of its attributes by their names."""
        named = {place: self.text(f"attribute {place} name") for place in places}
        return {name: self.values(f"attribute {place} value s") for place, name in named.items() if name}


def is_woocommerce(names: Sequence[str]) -> bool:
    """Whether this is the header of a product export of WooCommerce."""
    found = set(map(normalize_name, names))
    return found >= REQUIRED and not found & {"handle", "url handle"}


def key_of_column(name: str, *, with_sides: bool) -> str:
    """The normalized name of a column, without the unit that stands behind weights and dimensions."""
    if _WEIGHT.fullmatch(name.strip()):
        return "weight"
    side = _SIDE.fullmatch(name.strip())
    return side[1].lower() if side and with_sides else normalize_name(name)


class WooCommerceReader:
    """Turns the rows of one export into rows of the shop's format."""

    def __init__(self, names: Sequence[str], problems: ProblemList, notes: NoteList) -> None:
        self.names, self.problems, self.notes = names, problems, notes
        weight = next((match for name in names if (match := _WEIGHT.fullmatch(name.strip()))), None)
        self.weight_unit = weight[1].lower() if weight else "kg"
        sides = {
            match[1].lower(): match[2].lower() for name in names if (match := _SIDE.fullmatch(name.strip()))
        }
        self.side_units = {side: MILLIMETRES[unit] for side, unit in sides.items()}
        if set(self.side_units) != set(SIDES):
            self.side_units = {}
        self.keys = [key_of_column(name, with_sides=bool(self.side_units)) for name in names]
        self.headers = dict(zip(self.keys, names, strict=True))
        repeated = (name for key, name in self.headers.items() if name.strip() and self.keys.count(key) > 1)
        for name in repeated:
            problems.add(1, name, Message("the header has this column twice"))
        found = [match for key in self.keys if (match := _ATTRIBUTE.fullmatch(key))]
        self.places = sorted({int(match[1]) for match in found})
        read = {*SOURCES.values(), *ALSO_READ, *(match[0] for match in found)}
        self.kept = [key for key in self.keys if key not in read]

    def convert(self, rows: Iterable[FileRow]) -> ConvertedFile:
        products = self._group(self._read(rows))
        slugs = self._name_products(products)
        converted = [
            row for product in products for row in self._convert_product(product, slugs[product.line])
        ]
        columns = list(dict.fromkeys(name for _, cells in converted for name in cells))
        columns = list(dict.fromkeys([Column.HANDLE, Column.TITLE, *columns]))
        headers = [self._header_of(column) for column in columns]
        cells = [(line, [row.get(column, "") for column in columns]) for line, row in converted]
        return ConvertedFile(WOOCOMMERCE, columns, headers, cells)

    def _header_of(self, column: str) -> str:
        return self.headers.get(SOURCES.get(column, ""), column)

    def _note(self, row: ExportRow, key: str, reason: Message) -> None:
        self.notes.add(row.line, self.headers.get(key, key), reason)

    def _read(self, rows: Iterable[FileRow]) -> Iterator[ExportRow]:
        for line, cells in rows:
            if len(cells) > len(self.keys):
                count, expected = len(cells), len(self.keys)
                reason = Message("{count} cells under a header of {expected}", count=count, expected=expected)
                self.problems.add(line, "", reason)
                continue
            padded = [*cells, *[""] * (len(self.keys) - len(cells))]
            yield ExportRow(line, {key: cell.strip() for key, cell in zip(self.keys, padded, strict=True)})

    def _group(self, rows: Iterable[ExportRow]) -> list[ExportRow]:
        """The products, each with its variations; a variation names its product by id or SKU."""
        products: list[ExportRow] = []
        variations: list[ExportRow] = []
        for row in rows:
            (variations if VARIATION in row.types else products).append(row)
        by_reference = {each.text("sku"): each for each in products if each.text("sku")}
        by_reference |= {f"id:{each.text('id')}": each for each in products if each.text("id")}
        for row in variations:
            parent = by_reference.get(row.text("parent"))
            if parent is None:
                reason = Message("no product {text} is in the file", text=quote_value(row.text("parent")))
                self.problems.add(row.line, self.headers.get("parent", "Parent"), reason)
            else:
                parent.variations.append(row)
        return products

    def _name_products(self, products: Sequence[ExportRow]) -> dict[int, str]:
        """A slug for each product by its line: the export has none, so it is made of the name."""
        slugs = {each.line: slug_of(each.text("name")) or f"product-{each.text('id')}" for each in products}
        times = Counter(slugs.values())
        return {
            each.line: f"{slugs[each.line]}-{each.text('id') or each.line}"
            if times[slugs[each.line]] > 1
            else slugs[each.line]
            for each in products
        }

    def _convert_product(self, row: ExportRow, slug: str) -> Iterator[tuple[int, dict[str, str]]]:
        attributes = row.attributes(self.places)
        of_variations: defaultdict[str, None] = defaultdict()
        for variation in row.variations:
            for name, values in variation.attributes(self.places).items():
                if values:
                    of_variations[name] = None
        options = [*(name for name in attributes if name in of_variations)]
        options += [name for name in of_variations if name not in attributes]
        cells = {Column.HANDLE: slug} | self._product_cells(row)
        cells |= {
            family_column(ColumnFamily.ATTRIBUTE, name): join_values(values, ";")
            for name, values in attributes.items()
            if values and name not in of_variations
        }
        cells |= dict(zip(OPTION_NAMES, options, strict=False))
        if not row.variations and not row.types & {VARIABLE, *NOT_SOLD_HERE}:
            cells |= self._variant_cells(row, row)
        elif row.text("sku"):
            cells[SKU_OF_PRODUCT] = row.text("sku")
        pictures = row.values("images")
        cells[Column.PICTURE] = pictures[0] if pictures else ""
        yield row.line, cells
        for variation in row.variations:
            yield (
                variation.line,
                {Column.HANDLE: slug}
                | self._option_cells(variation, options)
                | self._variant_cells(variation, row)
                | {Column.VARIANT_PICTURE: next(iter(variation.values("images")), "")}
                | self._kept_cells(variation),
            )
        for picture in pictures[1:]:
            yield row.line, {Column.HANDLE: slug, Column.PICTURE: picture}

    def _product_cells(self, row: ExportRow) -> dict[str, str]:
        categories = row.values("categories")
        deepest = max(categories, key=lambda path: path.count(">"), default="")
        others = [each for each in categories if each != deepest and not deepest.startswith(f"{each} >")]
        if others:
            self._note(
                row,
                "categories",
                Message("a product has one category; left out: {names}", names=list_names(others)),
            )
        brands = row.values("brands")
        return {
            Column.TITLE: row.text("name"),
            Column.BODY: row.text("description") or row.text("short description"),
            Column.VENDOR: brands[0] if brands else "",
            Column.CATEGORY: deepest,
            Column.TAGS: join_values(row.values("tags"), ","),
            Column.STATUS: self._status_of(row),
        } | self._kept_cells(row)

    def _kept_cells(self, row: ExportRow) -> dict[str, str]:
        kept = {self.headers[key]: text for key in self.kept if (text := row.text(key))}
        if not row.text("description"):
            kept = {name: text for name, text in kept.items() if normalize_name(name) != "short description"}
        return kept

    def _status_of(self, row: ExportRow) -> str:
        if row.types & NOT_SOLD_HERE:
            self._note(row, "type", Message("grouped and external products are taken as drafts"))
            if row.text("regular price"):
                self._note(row, "regular price", Message("nothing is sold here: the price is left out"))
            return "draft"
        if row.text("published") != "1":
            return "draft"
        return "unlisted" if row.text("visibility in catalog").lower() == "hidden" else "active"

    def _option_cells(self, row: ExportRow, options: Sequence[str]) -> dict[str, str]:
        chosen = row.attributes(self.places)
        cells: dict[str, str] = {}
        for column, name in zip(OPTION_VALUES, options, strict=False):
            values = chosen.get(name) or []
            if not values:
                self._note(row, "type", Message("a variation for any {name} is one variant", name=name))
            cells[column] = values[0] if values else ANY
        for name in [name for name, values in chosen.items() if not values and name not in options]:
            self._note(row, "type", Message("a variation for any {name} is one variant", name=name))
        return cells

    def _variant_cells(self, row: ExportRow, product: ExportRow) -> dict[str, str]:
        """A variation without a weight has that of its product."""
        return {
            Column.SKU: row.text("sku"),
            Column.BARCODE: row.text("gtin upc ean or isbn"),
            Column.GRAMS: self._grams_of(row) or self._grams_of(product),
            Column.WEIGHT_UNIT: UNITS[self.weight_unit],
            **self._size_cells(row, product),
            Column.REQUIRES_SHIPPING: "FALSE" if row.types & {"virtual", "downloadable"} else "TRUE",
            Column.TAXABLE: "FALSE" if row.text("tax status").lower() in ("none", "shipping") else "TRUE",
            **self._price_cells(row),
            **self._stock_cells(row),
        }

    def _grams_of(self, row: ExportRow) -> str:
        text = row.text("weight")
        try:
            return f"{float(text) * GRAMS[self.weight_unit]:.3f}" if text else ""
        except ValueError:
            return text

    def _size_cells(self, row: ExportRow, product: ExportRow) -> dict[str, str]:
        """All three sides in whole millimetres; a variation without has those of its product."""
        if not self.side_units:
            return {}
        return {Column.SIZE: self._size_of(row) or self._size_of(product)}

    def _size_of(self, row: ExportRow) -> str:
        texts = [row.text(side) for side in SIDES]
        if not all(texts):
            return ""
        try:
            sides = [float(text) * self.side_units[side] for side, text in zip(SIDES, texts, strict=True)]
        except ValueError:
            return "x".join(texts)
        return "x".join(f"{side:.0f}" for side in sides)

    def _price_cells(self, row: ExportRow) -> dict[str, str]:
        """The sale price with the regular one before it, unless the sale has dates."""
        regular, sale = row.text("regular price"), row.text("sale price")
        if sale and (row.text("date sale price starts") or row.text("date sale price ends")):
            self._note(row, "sale price", Message("a sale with dates is left out: schedule a price change"))
            sale = ""
        return {Column.PRICE: sale, Column.COMPARE_AT: regular} if sale else {Column.PRICE: regular}

    def _stock_cells(self, row: ExportRow) -> dict[str, str]:
        """Counted where there is a number, or where the product is out of stock."""
        stock, in_stock = row.text("stock"), row.text("in stock").lower()
        backorders = row.text("backorders allowed").lower() in ("1", "notify") or in_stock == "backorder"
        if stock.lower() == "parent":
            self._note(row, "stock", Message("stock that variations share is left out: they are not counted"))
            stock = ""
        elif not stock and in_stock == "0":
            stock = "0"
        return {
            Column.TRACKER: "shopify" if stock else "",
            Column.QUANTITY: stock,
            Column.POLICY: "continue" if backorders else "deny",
        }
