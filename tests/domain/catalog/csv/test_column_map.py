"""Files of any software, read by a mapping of their columns."""

import pytest

from domain.catalog.csv import ColumnMap, read_column_map, read_products
from domain.catalog.problems import WrongText
from domain.catalog.product import PriceDraft, VariantDraft
from models import CurrencyCode, Money, ProductStatus
from tests.domain.catalog.csv.product_files import join_rows

CNY = CurrencyCode.CNY

TAOBAO = """
header_line = 2
first_line = 4
separator = "\\t"
handle = ["outer_id"]

[columns]
title = "Title"
price = "Variant Price"
num = "Variant Inventory Qty"
outer_id = "Variant SKU"
approve_status = "Status"

[values.Status]
1 = "active"
2 = "draft"

[defaults]
"Variant Inventory Tracker" = "shopify"
"""

AMAZON = """
handle = ["parent_sku", "item_sku"]

[columns]
item_sku = "Variant SKU"
item_name = "Title"
standard_price = "Price / USD"
size_name = "Option1 Value"

[defaults]
"Option1 Name" = "Size"

[product_rows]
parentage = "parent"
"""


def column_map(text: str) -> ColumnMap:
    return read_column_map(text, CNY)


def test_a_file_of_taobao_is_read_by_its_mapping() -> None:
    rows = (
        "version 1.00",
        "title\tprice\tnum\touter_id\tapprove_status\tcid",
        "宝贝名称\t宝贝价格\t宝贝数量\t商家编码\t状态\t类目",
        "紫砂壶\t199.00\t5\tT-1\t1\t50",
        "茶杯\t29\t0\tT-2\t2\t50",
    )
    data = join_rows(*rows).encode("utf-16")

    parsed = read_products(data, file="t.csv", currency=CNY, column_map=column_map(TAOBAO))

    assert (parsed.format, parsed.problems, parsed.notes) == ("column map", (), ())
    assert [(each.slug, each.title, each.status, each.columns) for each in parsed.products] == [
        ("t-1", "紫砂壶", ProductStatus.ACTIVE, {"cid": "50"}),
        ("t-2", "茶杯", ProductStatus.DRAFT, {"cid": "50"}),
    ]
    assert parsed.products[0].variants == (
        VariantDraft(sku="T-1", prices={CNY: PriceDraft(Money(19_900, CNY))}, stock={"": 5}),
    )


def test_rows_of_one_parent_are_the_variants_of_a_product() -> None:
    data = join_rows(
        "item_sku,item_name,parentage,parent_sku,standard_price,size_name",
        "P 1,Shirt,parent,,,",
        "P-1-S,Shirt,child,P 1,9.50,S",
        "P-1-L,Shirt,child,P 1,10.50,L",
    ).encode()

    parsed = read_products(data, file="a.csv", currency=CNY, column_map=column_map(AMAZON))

    assert parsed.problems == ()
    (shirt,) = parsed.products
    assert (shirt.slug, shirt.title) == ("p-1", "Shirt")
    assert [(each.sku, each.options) for each in shirt.variants] == [
        ("P-1-S", (("Size", "S"),)),
        ("P-1-L", (("Size", "L"),)),
    ]


def test_problems_of_a_mapped_file_name_its_own_columns() -> None:
    data = join_rows(
        "item_sku,item_name,parentage,parent_sku,standard_price,size_name", "A,,x,,1o,S"
    ).encode()

    parsed = read_products(data, file="a.csv", currency=CNY, column_map=column_map(AMAZON))

    assert [(each.line, each.column, each.reason) for each in parsed.problems] == [
        (2, "item_name", "the product has no title"),
        (2, "standard_price", '"1o" is not an amount such as 12.50'),
    ]


def test_a_file_without_a_mapped_column_is_refused() -> None:
    parsed = read_products(
        b"item_sku,item_name\nA,B\n", file="a.csv", currency=CNY, column_map=column_map(AMAZON)
    )

    assert [(each.line, each.reason) for each in parsed.problems] == [
        (1, 'the file has no column "standard_price", "size_name", "parent_sku", "parentage"')
    ]


@pytest.mark.parametrize(
    ("mapping", "header", "reason"),
    [
        (
            'cost = "Price"\nprice = "Variant Price"',
            "a,cost,price",
            '"cost" and "price" are both read as "Variant Price"',
        ),
        ('cost = "Variant Price"', "a,Price,cost", '"Price" and "cost" are both read as "Variant Price"'),
        ('cost = "Variant Price"', "a,cost,cost", '"cost" and "cost" are both read as "Variant Price"'),
        ("", "a,note,note", '"note" and "note" are both read as "note"'),
    ],
)
def test_two_columns_for_one_are_refused(mapping: str, header: str, reason: str) -> None:
    data = join_rows(header, "A,1,2").encode()
    by_name = column_map(f'[columns]\na = "Title"\n{mapping}')

    parsed = read_products(data, file="a.csv", currency=CNY, column_map=by_name)

    assert (parsed.products, [each.reason for each in parsed.problems]) == ((), [reason])


def test_columns_of_the_format_may_be_spelled_in_other_ways() -> None:
    by_name = column_map(
        '\ufeff[columns]\na = "title"\nb = "price"\n[defaults]\n"inventory quantity" = "5"\n'
        '[values."Variant price"]\n- = "9"'
    )

    parsed = read_products(b"a,b\nCup,-\n", file="a.csv", currency=CNY, column_map=by_name)

    assert parsed.problems == ()
    assert [(each.slug, each.title, each.variants) for each in parsed.products] == [
        ("cup", "Cup", (VariantDraft(prices={CNY: PriceDraft(Money(900, CNY))}, stock={"": 5}),))
    ]


def test_a_value_in_any_column_without_a_name_is_refused() -> None:
    by_name = column_map('[columns]\na = "Title"')

    parsed = read_products(b"a,,\nCup,,\nMug,x,\n", file="a.csv", currency=CNY, column_map=by_name)

    assert [(each.line, each.reason) for each in parsed.problems] == [
        (3, "a value in a column whose header is blank")
    ]


def test_a_product_of_one_variant_needs_no_value_of_an_option_with_a_name_by_default() -> None:
    data = join_rows(
        "item_sku,item_name,parentage,parent_sku,standard_price,size_name",
        "P-S,Shirt,child,P,9.50,S",
        "MUG,Mug,,,8,",
    ).encode()

    parsed = read_products(data, file="a.csv", currency=CNY, column_map=column_map(AMAZON))

    assert parsed.problems == ()
    assert [[each.options for each in product.variants] for product in parsed.products] == [
        [(("Size", "S"),)],
        [()],
    ]


def test_a_file_that_ends_before_its_header_is_not_called_empty() -> None:
    parsed = read_products(
        b"A\nB\n", file="a.csv", currency=CNY, column_map=column_map("header_line = 5\n[columns]")
    )

    assert [each.reason for each in parsed.problems] == ["the file has no line 5"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("columns = 1", '"columns" is a table of texts'),
        ("[columns]\na = 1", '"columns" is a table of texts'),
        ("", '"columns" is a table of texts'),
        ('[columns]\na = "Prise"', '"Prise" is no column the shop knows'),
        ('[columns]\n[defaults]\nx = "1"', '"x" is no column the shop knows'),
        (
            "x = 1",
            '"x" is none of columns, defaults, first_line, handle, header_line, product_rows, separator,'
            " values",
        ),
        ("header_line = 0\n[columns]", "lines are counted from 1"),
        ("header_line = true\n[columns]", "lines are counted from 1"),
        (
            "header_line = 99999999999999999999\n[columns]",
            "the header and the first product stand in the first 1,000 lines",
        ),
        (
            "first_line = 100000000\n[columns]",
            "the header and the first product stand in the first 1,000 lines",
        ),
        ("header_line = 5\nfirst_line = 1\n[columns]", "the first product stands after the header"),
        ('handle = "a"\n[columns]', "handle is a list of columns"),
        ('separator = "ab"\n[columns]', "separator is one character"),
        ('separator = "\\n"\n[columns]', "separator ends or quotes cells: it separates none"),
        ("separator = '\"'\n[columns]", "separator ends or quotes cells: it separates none"),
        ("a = " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ("values = 1\n[columns]", "values is a table of tables"),
        ("[values]\nStatus = 1\n[columns]", '"Status" is a table of texts'),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(text: str, reason: str) -> None:
    with pytest.raises(WrongText) as refused:
        column_map(text)

    assert str(refused.value) == reason


def test_a_mapping_that_is_not_toml_is_refused() -> None:
    with pytest.raises(WrongText, match=r"^not TOML: "):
        column_map("=")
