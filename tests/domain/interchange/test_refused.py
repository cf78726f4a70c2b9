"""A product file that is wrong: every problem by line, column and reason."""

import csv
import io

import pytest

from domain.catalog.html import BODY_LIMIT, TAG_LIMIT
from domain.catalog.interchange import (
    CELL_LIMIT,
    FILE_LIMIT,
    PICTURE_LIMIT,
    PROBLEM_LIMIT,
    VARIANT_LIMIT,
    Reading,
    read_products,
)
from models.money import CurrencyCode
from tests.domain.interchange.reading import only, read, table


def refused(reading: Reading) -> list[tuple[int, str, str]]:
    assert reading.products == ()
    assert {problem.file for problem in reading.problems} == {"goods.csv"}
    return [(problem.line, problem.column, problem.reason) for problem in reading.problems]


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
