import csv
import io
import os
import re
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.html import BODY_LIMIT, TAG_LIMIT, clean
from domain.catalog.interchange import (
    CELL_LIMIT,
    FILE_LIMIT,
    PICTURE_LIMIT,
    PROBLEM_LIMIT,
    VARIANT_LIMIT,
    Problem,
    Reading,
    Writer,
    columns_of,
    read_products,
)
from domain.visible import visible
from models.catalog import ProductStatus
from models.money import CurrencyCode, Money

FOLDERS = os.environ.get("CARTWHEEL_SAMPLES", "").split(os.pathsep)
SAMPLES = sorted(path for folder in FOLDERS if folder for path in Path(folder).glob("*.csv"))
"""Product files of other shops, where somebody has some."""

OLD = """\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,\
Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,\
Variant Inventory Policy,Variant Fulfillment Service,Variant Price,Variant Compare At Price,\
Variant Requires Shipping,Variant Taxable,\
Variant Barcode,Image Src,Image Position,Image Alt Text,Gift Card,SEO Title,SEO Description,Variant Image,\
Variant Weight Unit,Cost per item,Status
tea,Green tea,<p>Picked in spring</p>,Hill Farm,Food > Tea,Leaf,"green, spring",TRUE,Size,100 g,Tin,Red,T-1,\
130,shopify,7,deny,manual,12.5,15.00,TRUE,TRUE,690001,https://pics.test/1.jpg,1,A cup,FALSE,Buy tea,Fresh,\
https://pics.test/red.jpg,g,4.20,active
tea,,,,,,,,,100 g,,Blue,T-2,453.592,,0,continue,manual,13,,FALSE,,,//pics.test/2.jpg,2,,,,,,lb,4.30,
tea,,,,,,,,,,,,,,,,,,,,,,,http://pics.test/3.jpg,3,,,,,,,,
"""

NEW = """\
Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,\
Option1 name,Option1 value,Option1 Linked To,Price,Compare-at price,Cost per item,Charge tax,Tax code,\
Inventory tracker,Inventory quantity,Continue selling when out of stock,Weight value (grams),\
Weight unit for display,Requires shipping,Fulfillment service,Product image URL,Image position,\
Image alt text,Variant image URL,Gift card,SEO title,SEO description,Google Shopping / MPN
Scarf,scarf,Warm,Loom,aa-1-2,Knit,wool,TRUE,Active,S-1,,Title,Default Title,,9.99,,3,TRUE,,shopify,4,DENY,80,\
kg,TRUE,manual,https://pics.test/s.jpg,1,,,FALSE,,,M-1
"""


def read(text: str, *, currency: CurrencyCode = CurrencyCode.CNY) -> Reading:
    return read_products(text.encode(), file="goods.csv", currency=currency)


def written(products: tuple[ProductDraft, ...], *, currency: CurrencyCode = CurrencyCode.CNY) -> bytes:
    writer = Writer(columns_of(products, currency), currency=currency)
    return writer.header() + b"".join(writer.rows([product]) for product in products)


def table(header: str, *rows: str) -> str:
    return "\n".join((header, *rows, ""))


def cny(amount: int, before: int | None = None) -> PriceDraft:
    was = None if before is None else Money(before, CurrencyCode.CNY)
    return PriceDraft(Money(amount, CurrencyCode.CNY), was)


def only(reading: Reading) -> ProductDraft:
    assert reading.problems == ()
    (product,) = reading.products
    return product


def refused(reading: Reading) -> list[tuple[int, str, str]]:
    assert reading.products == ()
    assert {problem.file for problem in reading.problems} == {"goods.csv"}
    return [(problem.line, problem.column, problem.reason) for problem in reading.problems]


def test_a_file_with_the_old_column_names_is_read() -> None:
    reading = read(OLD)

    assert reading == Reading(
        "goods.csv",
        products=(
            ProductDraft(
                slug="tea",
                title="Green tea",
                description="<p>Picked in spring</p>",
                brand="Hill Farm",
                product_type="Leaf",
                category_path=("Food", "Tea"),
                tags=("green", "spring"),
                seo_title="Buy tea",
                seo_description="Fresh",
                pictures=(
                    PictureDraft("https://pics.test/1.jpg", "A cup", 1),
                    PictureDraft("//pics.test/2.jpg", "", 2),
                    PictureDraft("http://pics.test/3.jpg", "", 3),
                ),
                variants=(
                    VariantDraft(
                        options=(("Size", "100 g"), ("Tin", "Red")),
                        sku="T-1",
                        barcode="690001",
                        prices={CurrencyCode.CNY: cny(1250, 1500)},
                        weight_grams=130,
                        weight_unit="g",
                        stock={"": 7},
                        picture_url="https://pics.test/red.jpg",
                        columns={"Variant Fulfillment Service": "manual", "Cost per item": "4.20"},
                    ),
                    VariantDraft(
                        options=(("Size", "100 g"), ("Tin", "Blue")),
                        sku="T-2",
                        prices={CurrencyCode.CNY: cny(1300)},
                        weight_grams=454,
                        weight_unit="lb",
                        stock={"": 0},
                        tracked=False,
                        sells_when_out=True,
                        requires_shipping=False,
                        taxable=False,
                        columns={"Variant Fulfillment Service": "manual", "Cost per item": "4.30"},
                    ),
                ),
                columns={"Gift Card": "FALSE"},
            ),
        ),
        problems=(),
    )
    assert reading.products[0].line == 2


def test_a_file_with_the_new_column_names_is_read() -> None:
    assert only(read(NEW)) == ProductDraft(
        slug="scarf",
        title="Scarf",
        description="Warm",
        brand="Loom",
        product_type="Knit",
        taxonomy_id="aa-1-2",
        tags=("wool",),
        pictures=(PictureDraft("https://pics.test/s.jpg", "", 1),),
        variants=(
            VariantDraft(
                sku="S-1",
                prices={CurrencyCode.CNY: cny(999)},
                weight_grams=80,
                stock={"": 4},
                columns={"Cost per item": "3", "Fulfillment service": "manual"},
            ),
        ),
        columns={"Gift card": "FALSE", "Google Shopping / MPN": "M-1"},
    )


def test_the_spelling_of_a_header_and_a_byte_order_mark_do_not_matter() -> None:
    data = "\ufeffHANDLE,title,Body,variant inventory quantity,Variant sku\r\ntea,Tea,Leaf,3,T\r\n"

    product = only(read(data))

    assert (product.slug, product.description) == ("tea", "Leaf")
    assert product.variants == (VariantDraft(sku="T", stock={"": 3}),)


def test_columns_of_the_shop_carry_currencies_warehouses_languages_and_attributes() -> None:
    product = only(
        read(
            table(
                "Handle,Title,Variant Price,Price / usd,Compare At Price / USD,Price / Iceland,"
                "Inventory Qty / NORTH,Title / en,Description / zh-CN,Attribute / color",
                r"茶_1,茶,10,1.50,2,9,8,Tea,<b>好</b><script>x</script>,red; sea\; green",
            )
        )
    )

    assert product == ProductDraft(
        slug="茶_1",
        title="茶",
        translations={"en": {"title": "Tea"}, "zh-CN": {"description": "<b>好</b>"}},
        attributes={"color": ("red", "sea; green")},
        variants=(
            VariantDraft(
                prices={
                    CurrencyCode.CNY: cny(1000),
                    CurrencyCode.USD: PriceDraft(Money(150, CurrencyCode.USD), Money(200, CurrencyCode.USD)),
                },
                stock={"NORTH": 8},
                columns={"Price / Iceland": "9"},
            ),
        ),
    )


def test_a_name_may_hold_the_character_that_separates_names() -> None:
    product = ProductDraft(
        slug="a",
        title="A",
        category_path=("Size > 40", "Back\\slash", "Shoes", "Shoes"),
        tags=("a,b", "c\\"),
        attributes={"fit": ("x;y", "z")},
    )

    assert b"Size \\> 40 > Back\\\\slash > Shoes > Shoes" in written((product,))
    assert only(read(written((product,)).decode())) == product


@pytest.mark.parametrize(
    ("status", "published", "taken"),
    [
        ("active", "TRUE", ProductStatus.ACTIVE),
        ("", "true", ProductStatus.ACTIVE),
        ("", "", ProductStatus.ACTIVE),
        ("", "FALSE", ProductStatus.DRAFT),
        ("active", "FALSE", ProductStatus.DRAFT),
        ("Draft", "TRUE", ProductStatus.DRAFT),
        ("ARCHIVED", "TRUE", ProductStatus.ARCHIVED),
    ],
)
def test_a_product_is_seen_only_when_active_and_published(
    status: str, published: str, taken: ProductStatus
) -> None:
    reading = read(table("Handle,Title,Status,Published", f"tea,Tea,{status},{published}"))

    assert only(reading).status is taken
    assert bool(reading.notes) is ((status, published) == ("active", "FALSE"))


def test_stock_that_somebody_else_tracks_keeps_the_name_of_who_does() -> None:
    product = only(read(table("Handle,Title,Variant Inventory Tracker,SKU", "tea,Tea,shipwire,T")))

    assert product.variants == (VariantDraft(sku="T", columns={"Variant Inventory Tracker": "shipwire"}),)
    assert only(read(written((product,)).decode())) == product


def test_pictures_are_counted_from_one_in_the_order_of_their_positions() -> None:
    product = only(
        read(
            table(
                "Handle,Title,Image Src,Image Position", "tea,Tea,/b.jpg,9", "tea,,/c.jpg,12", "tea,,/a.jpg,1"
            )
        )
    )

    assert product.pictures == (
        PictureDraft("/a.jpg", "", 1),
        PictureDraft("/b.jpg", "", 2),
        PictureDraft("/c.jpg", "", 3),
    )


def test_scattered_rows_find_their_product() -> None:
    reading = read(table("Handle,Title,Option1 Name,Option1 Value", "a,A,Size,S", "b,B,,", "a,,,M"))

    assert [product.slug for product in reading.products] == ["a", "b"]
    assert reading.products[0].variants == (
        VariantDraft(options=(("Size", "S"),)),
        VariantDraft(options=(("Size", "M"),)),
    )


def test_a_product_told_again_further_down_is_replaced_as_by_a_second_import() -> None:
    reading = read(
        table(
            "Handle,Title,Vendor,Option1 Name,Option1 Value,SKU,Image Src",
            "a,A,Old,Size,S,A-1,/1.jpg",
            "a,,,,M,A-2,",
            "b,B,,,,,",
            "a,A2,New,Size,S,A-1,/2.jpg",
            "a,,,,L,A-3,/1.jpg",
        )
    )

    first = reading.products[0]
    assert (first.title, first.brand, first.line) == ("A2", "New", 5)
    assert [variant.sku for variant in first.variants] == ["A-1", "A-2", "A-3"]
    assert first.pictures == (PictureDraft("/1.jpg", "", 1), PictureDraft("/2.jpg", "", 2))
    assert reading.notes == (
        Problem(
            "goods.csv", 5, "Handle", '"a" was told in line 2: its fields and 1 of its variants are replaced'
        ),
    )


def test_columns_unknown_to_the_shop_are_kept_with_the_row_they_stand_in() -> None:
    text = table(
        "Handle,Title,Option1 Name,Option1 Value,Shelf,Variant Glue,Gift Card",
        "a,A,Size,S,7, sticky ,FALSE",
        "a,,,M,8,,FALSE",
    )

    product = only(read(text))

    assert product.columns == {"Shelf": "7", "Gift Card": "FALSE"}
    assert [variant.columns for variant in product.variants] == [{"Variant Glue": " sticky "}, {"Shelf": "8"}]
    assert only(read(written((product,)).decode())) == product


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Varint Price", "Variant Price"),
        ("SEO Titel", "SEO Title"),
        ("Price / XXX", "Price / ..."),
        ("Title / xx_yy", "Title / ..."),
    ],
)
def test_a_column_with_a_slip_in_its_name_is_kept_and_told(name: str, meant: str) -> None:
    reading = read(f"Handle,Title,{name}\na,A,\nb,B,1\nc,C,2\n")

    assert [(note.line, note.column, note.reason) for note in reading.notes] == [
        (3, name, f'kept, but no column the shop knows: is "{meant}" meant?')
    ]


@pytest.mark.parametrize("name", ["Price / International", "Variant Tax Code", "Gift Card", "Notes", "货架"])
def test_a_column_of_somebody_else_is_kept_without_a_word(name: str) -> None:
    assert read(f"Handle,Title,{name}\na,A,1\n").notes == ()


def test_what_nobody_sees_does_not_make_another_sku() -> None:
    reading = read("Handle,Title,Variant SKU\na,\u202eA,SKU-1\u200b\n")

    assert [(p.title, p.variants[0].sku) for p in reading.products] == [("A", "SKU-1")]


def test_a_formula_leaves_and_returns_as_it_is() -> None:
    product = ProductDraft(slug="a", title="=1+1", seo_title="@SUM(A1)", brand="-2")

    assert b"=1+1" in written((product,))
    assert only(read(written((product,)).decode())) == product


def test_a_file_of_nothing_is_still_a_file() -> None:
    assert written(()).startswith(b"Handle,Title,Body (HTML),Vendor,Product Category,")
    assert read(written(()).decode()) == Reading("goods.csv", (), ())


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", (1, "", "the file is empty")),
        (b"\n ,\n", (1, "", "the file is empty")),
        (b"\xef\xbb\xbf", (1, "", "the file is empty")),
        (
            "Handle,Title\na,A\nb,Thé\n".encode("latin-1"),
            (3, "", "not UTF-8: byte 0xE9; save the file as UTF-8"),
        ),
        (
            "Handle,Title\na,éclair, très apéritif\n".encode("latin-1"),
            (2, "", "not UTF-8: byte 0xE9; save the file as UTF-8"),
        ),
        (
            "Handle,Title\nb,中\n".encode("gbk")[:-2] + b"\n",
            (2, "", "not UTF-8: byte 0xD6; save the file as UTF-8"),
        ),
        (
            "Handle,Title\na,\n".encode("utf-16") + b"\x00\xd8a\x00",
            (3, "", "not UTF-16: byte 0x00; save the file as UTF-8"),
        ),
        (b"Handle,Title\na,\0\n", (2, "", "not a text file: it holds a NUL byte")),
        (b"Handle,Title\na,\"A\nB\n", (2, "", "not CSV from here on: unexpected end of data")),
        (b"Handle,Title\na,\"A\" x\n", (2, "", "not CSV from here on: ',' expected after '\"'")),
        (b"Handle,Title,SKU,Variant SKU\n", (1, "Variant SKU", "the header has this column twice")),
        (b"Handle,Title,x,x\n", (1, "x", "the header has this column twice")),
        (b"\nURL handle,Tag\na,A\n", (2, "Title", 'the header has no column "Title"')),
        (b"Handle,Title\n\na,A,B\n", (3, "", "3 cells under a header of 2")),
        (b"Handle,Title,\na,A,B\n", (2, "", "a value in a column whose header is blank")),
        (
            b"Handle,Title\na," + b"x" * (CELL_LIMIT + 1),
            (2, "", f"not CSV from here on: field larger than field limit ({CELL_LIMIT})"),
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_where(data: bytes, problem: tuple[int, str, str]) -> None:
    reading = read_products(data, file="goods.csv", currency=CurrencyCode.CNY)

    assert refused(reading) == [problem]


def test_a_file_over_the_limit_is_not_looked_into() -> None:
    reading = read_products(b"\0" * (FILE_LIMIT + 1), file="goods.csv", currency=CurrencyCode.CNY)

    assert refused(reading) == [(1, "", "the file has 67,108,865 bytes; at most 67,108,864 are taken")]


@pytest.mark.parametrize(
    ("header", "cell", "reason"),
    [
        ("Handle", "a b", '"a b" may only hold letters, digits, - and _'),
        ("Handle", "x" * 256, "has 256 characters; at most 255 are taken"),
        ("Title", "", "the product has no title"),
        ("Title", "x" * 256, "has 256 characters; at most 255 are taken"),
        ("Status", "sold", '"sold" is none of active, draft, archived'),
        ("Published", "maybe", '"maybe" is neither TRUE nor FALSE'),
        ("Variant Price", "-1", '"-1" is negative'),
        ("Variant Price", "1,5", '"1,5" is not an amount such as 12.50'),
        ("Price", "¥5", '"¥5" is not an amount such as 12.50'),
        ("Price", "1e3", '"1e3" is not an amount such as 12.50'),
        ("Price", "NaN", '"NaN" is not an amount such as 12.50'),
        ("Price", "1.005", '"1.005" has more than the 2 decimals of CNY'),
        ("Price", f"1.{'0' * 40}1", f'"1.{"0" * 38}..." has more than the 2 decimals of CNY'),
        ("Price", "1234567890123", '"1234567890123" is too large'),
        ("Compare-at price", "9", "a price before without a price"),
        ("Variant Grams", "-5", '"-5" is negative'),
        ("Variant Grams", "5 g", '"5 g" is not a weight in grams'),
        ("Variant Grams", "1000000001", '"1000000001" is more than 1,000,000,000'),
        ("Variant Weight Unit", "st", '"st" is none of g, kg, lb, oz'),
        ("Variant Inventory Qty", "1.5", '"1.5" is not a whole number'),
        ("Variant Inventory Qty", "-1", '"-1" is negative'),
        ("Inventory Qty / NORTH", "many", '"many" is not a whole number'),
        ("Variant Inventory Policy", "perhaps", '"perhaps" is neither deny nor continue'),
        ("Image Src", "javascript:alert(1)", '"javascript:alert(1)" is not the address of a picture'),
        ("Variant Image", "a.jpg", '"a.jpg" is not the address of a picture'),
        ("Option1 Value", "Red", '"Red" is the value of an option without a name'),
        ("Option4 Value", "Red", "a product has at most 3 options"),
        ("Title / en", "x" * 256, "has 256 characters; at most 255 are taken"),
        ("Body (HTML)", "<b>" * (TAG_LIMIT + 1), "has more than 10,000 tags"),
        ("Body (HTML)", "x" * (BODY_LIMIT + 1), "has 524,289 characters; at most 524,288 are taken"),
    ],
)
def test_a_cell_that_cannot_be_taken_says_why(header: str, cell: str, reason: str) -> None:
    cells = {"Handle": "a", "Title": "A"} | {header: cell}
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows([list(cells), list(cells.values())])

    assert refused(read(lines.getvalue())) == [(2, header, reason)]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ((",A,,,,,,",), (2, "Handle", "the row does not say which product it belongs to")),
        (("a,A,Size,,,,T,",), (2, "Option1 Value", 'the option "Size" has no value')),
        (("a,A,Size,S,Size,M,,",), (2, "Option2 Name", 'two options are called "Size"')),
        (("a,A,Size,S,,,,", "a,,,S,,,,"), (3, "Option1 Value", "the same variant as in line 2")),
        (("a,A,Size,S,,,,", "a,,Colour,M,,,,"), (3, "Option1 Name", 'the option is called "Size" in line 2')),
        (("a,A,Size,S,,,T,", "b,B,,,,,T,"), (3, "Variant SKU", 'the SKU "T" stands in line 2 already')),
        (("a,A,,,,,,", "a,,,,,,,3"), (3, "Image Src", "a picture without an address")),
        (("a,A,Size,S,,,,", "a,B,,M,,,,"), (3, "Title", "differs from the product's first row, line 2")),
        (
            ("a,A,Size,S,,,,", "b,B,,,,,,", "a,A,Colour,Red,,,,"),
            (4, "Option1 Name", "other options than in line 2"),
        ),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    rows: tuple[str, ...], problem: tuple[int, str, str]
) -> None:
    header = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Image Position"

    assert refused(read(table(header, *rows))) == [problem]


def test_what_only_the_first_row_may_say_is_not_lost_in_a_picture_row() -> None:
    reading = read(table("Handle,Title,Image Src,Shelf", "a,A,/1.jpg,7", "a,,/2.jpg,7", "a,,/3.jpg,8"))

    assert refused(reading) == [(4, "Shelf", "differs from the product's first row, line 2")]


def test_a_product_has_no_more_variants_and_pictures_than_the_limits() -> None:
    def file(variants: int, pictures: int) -> str:
        choices = [f"a,,,{place}," for place in range(1, variants)]
        return table(
            "Handle,Title,Option1 Name,Option1 Value,Image Src",
            "a,A,Size,0,/p.jpg",
            *choices,
            *["a,,,,/p.jpg"] * (pictures - 1),
        )

    most = only(read(file(VARIANT_LIMIT, PICTURE_LIMIT)))
    assert (len(most.variants), len(most.pictures)) == (VARIANT_LIMIT, PICTURE_LIMIT)
    assert refused(read(file(VARIANT_LIMIT + 1, PICTURE_LIMIT + 1))) == [
        (2, "Handle", "more than 2,048 variants"),
        (2, "Image Src", "more than 250 pictures"),
    ]


def test_all_problems_of_a_file_are_told_in_the_order_of_its_lines() -> None:
    reading = read(table("Handle,Title,Price,SKU", "a,,x,T", '"b","B\nb",1,T', "c,C,y,"))

    assert refused(reading) == [
        (2, "Title", "the product has no title"),
        (2, "Price", '"x" is not an amount such as 12.50'),
        (3, "SKU", 'the SKU "T" stands in line 2 already'),
        (5, "Price", '"y" is not an amount such as 12.50'),
    ]


def test_of_very_many_problems_only_the_number_is_told() -> None:
    reading = read(table("Handle,Title", *(f"a {row},A" for row in range(PROBLEM_LIMIT + 12))))

    assert len(refused(reading)) == PROBLEM_LIMIT + 1
    assert refused(reading)[-1] == (0, "", "... and 12 more")


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("<p onclick='x()' style='color:red' class=c>Hi</p>", "<p>Hi</p>"),
        ("<script>alert(1)</script><style>p{}</style>a", "a"),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<img src="//pics.test/1.jpg" onerror=x>', '<img src="//pics.test/1.jpg">'),
        ('<img src="http://pics.test/1.jpg">', '<img src="http://pics.test/1.jpg">'),
        ('<img src="data:image/png;base64,AA">', "<img>"),
        ("<iframe src=x>y</iframe><svg><text>z</svg>", ""),
        (
            "<table><tr><td colspan=2>1</table>",
            '<table><tbody><tr><td colspan="2">1</td></tr></tbody></table>',
        ),
        ("<pre>\n\n\nx</pre>", "<pre>x</pre>"),
        ("rock & roll <!-- note --> 1 < 2 ", "rock &amp; roll  1 &lt; 2"),
    ],
)
def test_a_description_keeps_its_form_and_loses_what_could_run(dirty: str, cleaned: str) -> None:
    assert clean(dirty) == cleaned


TAGS = (
    "a",
    "b",
    "p",
    "pre",
    "table",
    "tr",
    "td",
    "li",
    "svg",
    "math",
    "style",
    "title",
    "select",
    "plaintext",
)
PIECES = st.sampled_from(
    [f"<{tag}>" for tag in TAGS]
    + [f"</{tag}>" for tag in TAGS]
    + [
        "\n",
        " ",
        "x",
        "&lt;",
        "<a href=javascript:x>",
        "<img src=x onerror=y>",
        "<!--",
        "-->",
        "&amp;lt;b&gt;",
    ]
)
HTML = st.lists(PIECES, max_size=12).map("".join)


@settings(deadline=None)
@given(HTML)
def test_cleaning_what_is_clean_changes_nothing(html: str) -> None:
    cleaned = clean(html)

    assert clean(cleaned) == cleaned
    assert not re.search(r"<[^<>]*(script|onerror|svg|style|math)", cleaned)


# What a reading can hold: texts without white space around them, pictures in order, options of equal names.
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXT = st.text(LETTERS, max_size=20).map(visible)
NAME = TEXT.filter(bool)
SLUG = st.text(string.ascii_lowercase + string.digits + "-_茶叶", min_size=1, max_size=12)
CODE = (
    st.text(string.ascii_letters + string.digits + "-_ ./", min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)
ADDRESS = st.sampled_from(["https://pics.test/", "http://pics.test/", "//pics.test/", "/media/"]).flatmap(
    lambda start: st.text(string.ascii_letters + "%?=&,;\"'", min_size=1, max_size=8).map(start.__add__)
)
BODY = st.one_of(TEXT, HTML).map(clean)
UNITS = st.integers(0, 1_000_000_000)
FOREIGN = st.sampled_from(["Gift Card", "Google Shopping / MPN", "Notes", "货架"])
FOREIGN_OF_VARIANT = st.sampled_from(
    ["Variant Tax Code", "Cost per item", "Price / International", "Tax code"]
)


def prices() -> st.SearchStrategy[dict[CurrencyCode, PriceDraft]]:
    def price(currency: CurrencyCode) -> st.SearchStrategy[tuple[CurrencyCode, PriceDraft]]:
        amounts = st.integers(0, 10**12 - 1).map(lambda minor: Money(minor, currency))
        return st.builds(
            lambda amount, before: (currency, PriceDraft(amount, before or None)),
            amounts,
            st.none() | amounts,
        )

    return st.lists(st.sampled_from(CurrencyCode).flatmap(price), max_size=3).map(dict)


def variants(
    options: tuple[tuple[str, str], ...], *, sku: str | None, columns: st.SearchStrategy[str]
) -> st.SearchStrategy[VariantDraft]:
    return st.builds(
        VariantDraft,
        options=st.just(options),
        sku=st.just(sku),
        barcode=st.none() | NAME,
        prices=prices(),
        weight_grams=UNITS,
        weight_unit=st.sampled_from(["g", "kg", "lb", "oz"]),
        stock=st.dictionaries(st.just("") | CODE, UNITS, max_size=3),
        tracked=st.booleans(),
        sells_when_out=st.booleans(),
        requires_shipping=st.booleans(),
        taxable=st.booleans(),
        picture_url=st.none() | ADDRESS,
        columns=st.dictionaries(columns, NAME, max_size=2),
    )


def options(count: int) -> st.SearchStrategy[list[tuple[tuple[str, str], ...]]]:
    """Different choices among `count` options; without options there is only one."""
    if count == 0:
        return st.lists(st.just(()), max_size=1)
    names = st.lists(NAME, min_size=count, max_size=count, unique=True)
    choices = st.lists(st.tuples(*[NAME] * count), max_size=4, unique=True)
    return st.builds(
        lambda names, choices: [tuple(zip(names, chosen, strict=True)) for chosen in choices], names, choices
    )


@st.composite
def products(draw: st.DrawFn, slug: str) -> ProductDraft:
    columns = draw(st.dictionaries(FOREIGN, NAME, max_size=2))
    foreign = st.one_of(FOREIGN.filter(lambda name: name not in columns), FOREIGN_OF_VARIANT)
    chosen = draw(st.integers(0, 3).flatmap(options))
    taxonomy_id = draw(st.sampled_from(["", "aa-1-2"]))
    return ProductDraft(
        slug=slug,
        title=draw(NAME),
        description=draw(BODY),
        brand=draw(TEXT),
        product_type=draw(TEXT),
        category_path=() if taxonomy_id else tuple(draw(st.lists(NAME, max_size=3))),
        taxonomy_id=taxonomy_id,
        tags=tuple(draw(st.lists(NAME, max_size=3, unique=True))),
        status=draw(st.sampled_from(ProductStatus)),
        seo_title=draw(TEXT),
        seo_description=draw(TEXT),
        translations=draw(
            st.dictionaries(
                st.sampled_from(["en", "zh-CN"]),
                st.builds(lambda title, body: {"title": title, "description": body or "x"}, NAME, BODY),
            )
        ),
        attributes=draw(st.dictionaries(CODE, st.lists(NAME, min_size=1, max_size=3).map(tuple), max_size=2)),
        pictures=tuple(
            PictureDraft(url, alt, place)
            for place, (url, alt) in enumerate(draw(st.lists(st.tuples(ADDRESS, TEXT), max_size=4)), start=1)
        ),
        variants=tuple(
            draw(variants(each, sku=draw(st.sampled_from([None, f"{slug}-{place}"])), columns=foreign))
            for place, each in enumerate(chosen)
        ),
        columns=columns,
    )


SHELVES = st.lists(SLUG, max_size=4, unique=True).flatmap(lambda slugs: st.tuples(*map(products, slugs)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHELVES, st.sampled_from(CurrencyCode))
def test_what_is_written_is_read_back_without_loss(
    shelf: tuple[ProductDraft, ...], currency: CurrencyCode
) -> None:
    data = written(shelf, currency=currency)

    assert read_products(data, file="goods.csv", currency=currency) == Reading("goods.csv", shelf, ())


@pytest.mark.skipif(not SAMPLES, reason="CARTWHEEL_SAMPLES names no folders of product files")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_real_file_is_read_whole_and_comes_back_the_same(path: Path) -> None:
    reading = read_products(path.read_bytes(), file=path.name, currency=CurrencyCode.USD)
    assert reading.problems == ()

    again = read_products(
        written(reading.products, currency=CurrencyCode.USD), file="", currency=CurrencyCode.USD
    )

    assert again == Reading("", reading.products, ())


@settings(deadline=None)
@given(st.text(st.sampled_from('ab1-,,,"\n\r\\ >'), max_size=80), st.binary(max_size=3))
def test_whatever_stands_in_a_file_it_is_taken_or_refused(cells: str, noise: bytes) -> None:
    data = f"Handle,Title,Tags,Option1 Name,Option1 Value,Price,Image Src\n{cells}".encode() + noise

    reading = read_products(data, file="goods.csv", currency=CurrencyCode.CNY)

    assert not (reading.products and reading.problems)
    assert read(written(reading.products).decode()).products == reading.products
