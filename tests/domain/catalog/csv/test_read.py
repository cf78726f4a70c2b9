"""Reading product files of other software."""

import pytest

from domain.catalog.csv import ParsedFile
from domain.catalog.problems import NOTE_LIMIT, FileProblem
from domain.catalog.product import PictureDraft, PriceDraft, ProductDraft, VariantDraft, clean_html
from models.catalog import ProductStatus
from models.money import CurrencyCode, Money
from tests.domain.catalog.csv.product_files import join_rows, only_product, parse_text, write_csv

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


def cny_price(amount: int, before: int | None = None) -> PriceDraft:
    was = None if before is None else Money(before, CurrencyCode.CNY)
    return PriceDraft(Money(amount, CurrencyCode.CNY), was)


def test_the_line_by_which_excel_knows_the_separator_is_no_header() -> None:
    parsed = parse_text("\nsep=;\r\nHandle;Title;Price\r\na;A, B;5.50\r\n")

    assert (only_product(parsed).title, only_product(parsed).line) == ("A, B", 4)


def test_a_file_with_the_old_column_names_is_read() -> None:
    parsed = parse_text(OLD)

    assert parsed == ParsedFile(
        "products.csv",
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
                        prices={CurrencyCode.CNY: cny_price(1250, 1500)},
                        weight_grams=130,
                        weight_unit="g",
                        stock={"": 7},
                        picture_url="https://pics.test/red.jpg",
                        columns={"Variant Fulfillment Service": "manual", "Cost per item": "4.20"},
                    ),
                    VariantDraft(
                        options=(("Size", "100 g"), ("Tin", "Blue")),
                        sku="T-2",
                        prices={CurrencyCode.CNY: cny_price(1300)},
                        weight_grams=454,
                        weight_unit="lb",
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
    assert parsed.products[0].line == 2


def test_a_file_with_the_new_column_names_is_read() -> None:
    assert only_product(parse_text(NEW)) == ProductDraft(
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
                prices={CurrencyCode.CNY: cny_price(999)},
                weight_grams=80,
                stock={"": 4},
                columns={"Cost per item": "3", "Fulfillment service": "manual"},
            ),
        ),
        columns={"Gift card": "FALSE", "Google Shopping / MPN": "M-1"},
    )


def test_the_spelling_of_a_header_and_a_byte_order_mark_do_not_matter() -> None:
    data = "\ufeffHANDLE,title,Body,variant inventory quantity,Variant sku\r\ntea,Tea,Leaf,3,T\r\n"

    product = only_product(parse_text(data))

    assert (product.slug, product.description) == ("tea", "Leaf")
    assert product.variants == (VariantDraft(sku="T", stock={"": 3}),)


def test_columns_may_name_currencies_warehouses_languages_and_attributes() -> None:
    product = only_product(
        parse_text(
            join_rows(
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
                    CurrencyCode.CNY: cny_price(1000),
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

    assert b"Size \\> 40 > Back\\\\slash > Shoes > Shoes" in write_csv((product,))
    assert only_product(parse_text(write_csv((product,)).decode())) == product


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
        ("unlisted", "TRUE", ProductStatus.UNLISTED),
        ("unlisted", "FALSE", ProductStatus.DRAFT),
    ],
)
def test_a_product_is_active_only_when_active_and_published(
    status: str, published: str, taken: ProductStatus
) -> None:
    parsed = parse_text(join_rows("Handle,Title,Status,Published", f"tea,Tea,{status},{published}"))

    assert only_product(parsed).status is taken
    assert bool(parsed.notes) is (status in ("active", "unlisted") and published == "FALSE")


def test_the_name_of_another_inventory_tracker_is_kept() -> None:
    product = only_product(
        parse_text(join_rows("Handle,Title,Variant Inventory Tracker,SKU", "tea,Tea,shipwire,T"))
    )

    assert product.variants == (VariantDraft(sku="T", columns={"Variant Inventory Tracker": "shipwire"}),)
    assert only_product(parse_text(write_csv((product,)).decode())) == product


def notes_of(parsed: ParsedFile) -> list[tuple[int, str, str]]:
    assert parsed.problems == ()
    return [(note.line, note.column, str(note.reason)) for note in parsed.notes]


@pytest.mark.parametrize(
    ("header", "cells", "tracked", "stock"),
    [
        ("Variant Inventory Tracker,Variant Inventory Qty", ",0", False, {}),
        ("Variant Inventory Tracker,Variant Inventory Qty", ",", False, {}),
        ("Variant Inventory Tracker,Variant Inventory Qty", "shopify,0", True, {"": 0}),
        ("Variant Inventory Tracker,Variant Inventory Qty", "shopify,7", True, {"": 7}),
        ("Variant Inventory Qty,Vendor", "0,Loom", True, {"": 0}),
        ("Variant Inventory Qty,Vendor", ",Loom", False, {}),
        ("Inventory Qty / NORTH,Vendor", "3,Loom", True, {"NORTH": 3}),
        ("Vendor,Tags", ",", False, {}),
    ],
)
def test_a_variant_is_counted_where_the_file_says_so(
    header: str, cells: str, tracked: bool, stock: dict[str, int]
) -> None:
    parsed = parse_text(join_rows(f"Handle,Title,SKU,{header}", f"tea,Tea,T,{cells}"))

    (variant,) = only_product(parsed).variants
    assert (variant.tracked, variant.stock, parsed.notes) == (tracked, stock, ())


def test_quantities_that_count_for_nothing_are_noted() -> None:
    parsed = parse_text(
        join_rows(
            "Handle,Title,Variant Inventory Tracker,Variant Inventory Qty",
            "a,A,,5",
            "b,B,shopify,-3",
            "c,C,shopify,",
        )
    )
    without = parse_text(join_rows("Handle,Title,Variant Inventory Tracker", "c,C,shopify"))

    assert notes_of(parsed) == [
        (2, "Variant Inventory Tracker", "no tracker: the variant is not counted, its quantity is left out"),
        (3, "Variant Inventory Qty", '"-3" is negative: taken as 0'),
    ]
    assert notes_of(without) == [
        (2, "Variant Inventory Tracker", "counted, but without a quantity: none is in stock")
    ]
    assert [product.variants[0].stock for product in parsed.products] == [{}, {"": 0}, {}]


@pytest.mark.parametrize(
    ("cell", "sku"),
    [
        ("'00124", "00124"),
        ('"=""00124"""', "00124"),
        ("'=1+1", "=1+1"),
        ("'-5", "-5"),
        ("''00124", "'00124"),
        ("'T-1", "'T-1"),
        ("=1+1", "=1+1"),
    ],
)
def test_what_a_spreadsheet_marks_texts_by_is_removed(cell: str, sku: str) -> None:
    parsed = parse_text(join_rows("Handle,Title,SKU,Shelf", f"tea,Tea,{cell},'1"))

    product = only_product(parsed)
    assert (product.variants[0].sku, product.columns, parsed.notes) == (sku, {"Shelf": "'1"}, ())
    assert only_product(parse_text(write_csv((product,)).decode())) == product


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("SKU", "6.90123E+12", 'digits of "6.90123E+12" are lost: a spreadsheet has shortened it'),
        ("Barcode", "6.9e+12", 'digits of "6.9e+12" are lost: a spreadsheet has shortened it'),
        ("Barcode", "6901234567890", 'the check digit of "6901234567890" is wrong'),
        ("Barcode", "12345678", 'the check digit of "12345678" is wrong'),
        ("Barcode", "6901234567892", None),
        ("Barcode", "96385074", None),
        ("Barcode", "1234567", None),
        ("SKU", "6901234567890", None),
    ],
)
def test_a_damaged_number_is_taken_as_it_is_and_noted(column: str, text: str, reason: str | None) -> None:
    parsed = parse_text(join_rows(f"Handle,Title,{column}", f"tea,Tea,{text}"))

    assert notes_of(parsed) == ([(2, column, reason)] if reason else [])
    (variant,) = only_product(parsed).variants
    assert text in (variant.sku, variant.barcode)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ('"1,299.00"', 129_900),
        ('"12,345,678"', 1_234_567_800),
        ("¥1299", 129_900),
        ("￥ 1299", 129_900),
        ("1299元", 129_900),
        ("1299 CNY", 129_900),
        ("１２９９．５", 129_950),
        ('"RMB 1,299.5"', 129_950),
    ],
)
def test_an_amount_may_have_thousands_a_currency_and_wide_digits(text: str, minor: int) -> None:
    parsed = parse_text(join_rows("Handle,Title,Price", f"tea,Tea,{text}"))

    assert only_product(parsed).variants[0].prices == {CurrencyCode.CNY: cny_price(minor)}
    assert parsed.notes == ()


def test_a_comma_that_may_be_a_decimal_point_is_noted() -> None:
    parsed = parse_text(join_rows("Handle,Title,Price", 'tea,Tea,"1,299"'))

    assert only_product(parsed).variants[0].prices == {CurrencyCode.CNY: cny_price(129_900)}
    assert notes_of(parsed) == [(2, "Price", '"1,299" is read as thousands, not as decimals')]


def test_whole_numbers_may_be_wide_have_thousands_or_end_in_zeros() -> None:
    parsed = parse_text(
        join_rows("Handle,Title,Variant Grams,Inventory Qty", 'a,A,"1,500.4","1,200"', "b,B,２５０,３.0")
    )

    assert [(each.variants[0].weight_grams, each.variants[0].stock) for each in parsed.products] == [
        (1_500, {"": 1_200}),
        (250, {"": 3}),
    ]


def test_one_sku_on_several_variants_is_taken_with_a_note() -> None:
    parsed = parse_text(
        join_rows("Handle,Title,Option1 Name,Option1 Value,SKU", "a,A,Size,S,T", "a,,,M,T", "b,B,,,T")
    )

    assert [[variant.sku for variant in product.variants] for product in parsed.products] == [
        ["T", "T"],
        ["T"],
    ]
    assert notes_of(parsed) == [
        (3, "SKU", 'the SKU "T" stands in line 2 already: it does not name one variant'),
        (4, "SKU", 'the SKU "T" stands in line 2 already: it does not name one variant'),
    ]


def test_what_the_html_of_a_description_loses_is_noted() -> None:
    body = '"<p class=""c"" style=""x"" _src=""y"">Hi</p><iframe src=""z""></iframe><a href=""https://a.test"">b</a>"'
    parsed = parse_text(
        join_rows("Handle,Title,Body (HTML),Body (HTML) / en", f"a,A,{body},<video>v</video>")
    )

    assert notes_of(parsed) == [
        (2, "Body (HTML) / en", "<video> is removed from the HTML"),
        (2, "Body (HTML)", "<iframe> is removed from the HTML"),
        (2, "Body (HTML)", "_src is removed from the HTML"),
        (2, "Body (HTML)", "class is removed from the HTML"),
        (2, "Body (HTML)", "src is removed from the HTML"),
        (2, "Body (HTML)", "style is removed from the HTML"),
    ]


def test_notes_of_one_kind_are_listed_up_to_a_limit_and_all_are_counted() -> None:
    rows = [f"p{number},P,shopify,-1" for number in range(NOTE_LIMIT + 5)]
    parsed = parse_text(join_rows("Handle,Title,Variant Inventory Tracker,Inventory Qty", *rows, "q,Q,,2"))

    assert len(parsed.notes) == NOTE_LIMIT + 2
    assert notes_of(parsed)[-1] == (0, "", "... and 5 more")
    assert [(count.times, count.line, count.column) for count in parsed.note_counts] == [
        (NOTE_LIMIT + 5, 2, "Inventory Qty"),
        (1, NOTE_LIMIT + 7, "Variant Inventory Tracker"),
    ]


def test_pictures_are_counted_from_one_in_the_order_of_their_positions() -> None:
    product = only_product(
        parse_text(
            join_rows(
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
    parsed = parse_text(join_rows("Handle,Title,Option1 Name,Option1 Value", "a,A,Size,S", "b,B,,", "a,,,M"))

    assert [product.slug for product in parsed.products] == ["a", "b"]
    assert parsed.products[0].variants == (
        VariantDraft(options=(("Size", "S"),), tracked=False),
        VariantDraft(options=(("Size", "M"),), tracked=False),
    )


def test_a_product_that_comes_again_further_down_is_replaced_as_by_a_second_import() -> None:
    parsed = parse_text(
        join_rows(
            "Handle,Title,Vendor,Option1 Name,Option1 Value,SKU,Image Src",
            "a,A,Old,Size,S,A-1,/1.jpg",
            "a,,,,M,A-2,",
            "b,B,,,,,",
            "a,A2,New,Size,S,A-1,/2.jpg",
            "a,,,,L,A-3,/1.jpg",
        )
    )

    first = parsed.products[0]
    assert (first.title, first.brand, first.line) == ("A2", "New", 5)
    assert [variant.sku for variant in first.variants] == ["A-1", "A-2", "A-3"]
    assert first.pictures == (PictureDraft("/1.jpg", "", 1), PictureDraft("/2.jpg", "", 2))
    assert parsed.notes == (
        FileProblem(
            "products.csv",
            5,
            "Handle",
            '"a" is in line 2 already: its fields and 1 of its variants are replaced',
        ),
    )


def test_unknown_columns_are_kept_with_their_row() -> None:
    text = join_rows(
        "Handle,Title,Option1 Name,Option1 Value,Shelf,Variant Glue,Gift Card",
        "a,A,Size,S,7, sticky ,FALSE",
        "a,,,M,8,,FALSE",
    )

    product = only_product(parse_text(text))

    assert product.columns == {"Shelf": "7", "Gift Card": "FALSE"}
    assert [variant.columns for variant in product.variants] == [{"Variant Glue": " sticky "}, {"Shelf": "8"}]
    assert only_product(parse_text(write_csv((product,)).decode())) == product


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Varint Price", "Variant Price"),
        ("SEO Titel", "SEO Title"),
        ("Price / XXX", "Price / ..."),
        ("Title / xx_yy", "Title / ..."),
    ],
)
def test_a_column_with_a_typo_in_its_name_is_kept_with_a_note(name: str, meant: str) -> None:
    parsed = parse_text(f"Handle,Title,{name}\na,A,\nb,B,1\nc,C,2\n")

    assert [(note.line, note.column, note.reason) for note in parsed.notes] == [
        (3, name, f'kept, but no column the shop knows: is "{meant}" meant?')
    ]


@pytest.mark.parametrize("name", ["Price / International", "Variant Tax Code", "Gift Card", "Notes", "货架"])
def test_a_column_of_other_software_is_kept_without_a_note(name: str) -> None:
    assert parse_text(f"Handle,Title,{name}\na,A,1\n").notes == ()


def test_invisible_characters_do_not_make_another_sku() -> None:
    parsed = parse_text("Handle,Title,Variant SKU\na,\ufeffA,SKU-1\u200b\n")

    assert [(p.title, p.variants[0].sku) for p in parsed.products] == [("A", "SKU-1")]


def test_characters_that_are_not_taken_are_problems_of_their_cells() -> None:
    parsed = parse_text("Handle,Title,Variant SKU,Notes\na,\u202eA,S\x01,1\nb,B,\U0001ffff,x\x1b[0m\n")

    assert [(problem.line, problem.column, problem.reason) for problem in parsed.problems] == [
        (2, "Title", "This character is not taken: U+202E RIGHT-TO-LEFT OVERRIDE."),
        (2, "Variant SKU", "This character is not taken: U+0001."),
        (3, "Variant SKU", "This character is not taken: U+1FFFF."),
        (3, "Notes", "This character is not taken: U+001B."),
    ]


def test_a_text_that_looks_like_a_formula_is_not_changed() -> None:
    product = ProductDraft(slug="a", title="=1+1", seo_title="@SUM(A1)", brand="-2")

    assert b"=1+1" in write_csv((product,))
    assert only_product(parse_text(write_csv((product,)).decode())) == product


def test_a_file_without_products_is_valid() -> None:
    assert write_csv(()).startswith(b"Handle,Title,Body (HTML),Vendor,Product Category,")
    assert parse_text(write_csv(()).decode()) == ParsedFile("products.csv", (), ())


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
def test_a_description_keeps_its_formatting_and_loses_scripts_and_styles(dirty: str, cleaned: str) -> None:
    assert clean_html(dirty) == cleaned
