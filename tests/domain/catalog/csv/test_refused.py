"""Wrong product files: every problem by line, column and reason."""

import csv
import io

import pytest

from domain.catalog.csv import CELL_LIMIT, ParsedFile, read_products
from domain.catalog.limits import COLUMN_LIMIT, FILE_LIMIT, PICTURE_LIMIT, VARIANT_LIMIT
from domain.catalog.problems import PROBLEM_LIMIT
from domain.catalog.product.html import HTML_LIMIT, HTML_TAG_LIMIT
from models.money import CurrencyCode
from tests.domain.catalog.csv.product_files import join_rows, only_product, parse_text
from text.messages import Message


def problems_of(parsed: ParsedFile) -> list[tuple[int, str, str]]:
    assert parsed.products == ()
    assert {problem.file for problem in parsed.problems} == {"products.csv"}
    return [(problem.line, problem.column, str(problem.reason)) for problem in parsed.problems]


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
        (b"PK\x03\x04rest", (1, "", "this is a spreadsheet (xlsx or ods): save it as CSV UTF-8")),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            (1, "", "this is a spreadsheet (xls): save it as CSV UTF-8"),
        ),
        (
            b"PK\x03\x04" + b"\0" * 22 + b"\x0a\0\0\0export.csv",
            (1, "", "this is an archive (zip): unpack it first"),
        ),
        (b"\x1f\x8b\x08\0", (1, "", "this is an archive (gzip): unpack it first")),
        (b"Handle,Title" + b",x" * COLUMN_LIMIT, (1, "", "more than 10,000 columns")),
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
def test_an_unreadable_file_is_refused_with_its_line(data: bytes, problem: tuple[int, str, str]) -> None:
    parsed = read_products(data, file="products.csv", currency=CurrencyCode.CNY)

    assert problems_of(parsed) == [problem]


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        (
            ("Export of 2026,,", ",,", "Handle,Title,Price", "a,A,5"),
            3,
            "this line looks like the header: delete those above it",
        ),
        (
            ("name,cost", "A,5"),
            1,
            "what the columns of other software mean is said in a mapping file (--columns)",
        ),
    ],
)
def test_a_file_whose_first_row_names_no_products_says_what_would_help(
    rows: tuple[str, ...], line: int, reason: str
) -> None:
    parsed = parse_text(join_rows(*rows))

    assert [problem[2] for problem in problems_of(parsed)] == [
        'the header has no column "Handle"',
        'the header has no column "Title"',
    ]
    assert [(note.line, str(note.reason)) for note in parsed.notes] == [(line, reason)]
    assert parsed.note_counts == ()


def test_a_file_over_the_limit_is_refused_unread() -> None:
    parsed = read_products(b"\0" * (FILE_LIMIT + 1), file="products.csv", currency=CurrencyCode.CNY)

    assert problems_of(parsed) == [(1, "", "the file has 67,108,865 bytes; at most 67,108,864 are taken")]


@pytest.mark.parametrize(
    ("header", "cell", "reason"),
    [
        ("Handle", "a b", '"a b" may only hold letters, digits, - and _'),
        ("Handle", "x" * 256, "has 256 characters; at most 255 are taken"),
        ("Title", "", "the product has no title"),
        ("Title", "x" * 256, "has 256 characters; at most 255 are taken"),
        ("Status", "sold", '"sold" is none of draft, active, unlisted, archived'),
        ("Published", "maybe", '"maybe" is neither TRUE nor FALSE'),
        ("Variant Price", "-1", '"-1" is negative'),
        ("Variant Price", "1,5", '"1,5" is not an amount such as 12.50'),
        ("Price", "€5", '"€5" is not an amount such as 12.50'),
        ("Price", "$5", '"$5" is not an amount such as 12.50'),
        ("Price", "1,29", '"1,29" is not an amount such as 12.50'),
        ("Price", "1.299,00", '"1.299,00" is not an amount such as 12.50'),
        ("Price", "12,50元", '"12,50元" is not an amount such as 12.50'),
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
        ("Inventory Qty / NORTH", "many", '"many" is not a whole number'),
        ("Variant Inventory Policy", "perhaps", '"perhaps" is neither deny nor continue'),
        ("Image Src", "javascript:alert(1)", '"javascript:alert(1)" is not the address of a picture'),
        ("Variant Image", "a.jpg", '"a.jpg" is not the address of a picture'),
        ("Option1 Value", "Red", '"Red" is the value of an option without a name'),
        ("Option6 Value", "Red", "a product has at most 5 options"),
        ("Title / en", "x" * 256, "has 256 characters; at most 255 are taken"),
        ("Body (HTML)", "<b>" * (HTML_TAG_LIMIT + 1), "has more than 10,000 tags"),
        ("Body (HTML)", "x" * (HTML_LIMIT + 1), "has 524,289 characters; at most 524,288 are taken"),
    ],
)
def test_a_wrong_cell_is_refused_with_a_reason(header: str, cell: str, reason: str) -> None:
    cells = {"Handle": "a", "Title": "A"} | {header: cell}
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows([list(cells), list(cells.values())])

    assert problems_of(parse_text(lines.getvalue())) == [(2, header, reason)]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ((",A,,,,,,",), (2, "Handle", "the row does not say which product it belongs to")),
        (("a,A,Size,,,,T,",), (2, "Option1 Value", 'the option "Size" has no value')),
        (("a,A,Size,S,Size,M,,",), (2, "Option2 Name", 'two options are called "Size"')),
        (("a,A,Size,S,,,,", "a,,,S,,,,"), (3, "Option1 Value", "the same variant as in line 2")),
        (("a,A,Size,S,,,,", "a,,Colour,M,,,,"), (3, "Option1 Name", 'the option is called "Size" in line 2')),
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

    assert problems_of(parse_text(join_rows(header, *rows))) == [problem]


def test_an_unknown_product_column_may_not_change_in_a_picture_row() -> None:
    parsed = parse_text(
        join_rows("Handle,Title,Image Src,Shelf", "a,A,/1.jpg,7", "a,,/2.jpg,7", "a,,/3.jpg,8")
    )

    assert problems_of(parsed) == [(4, "Shelf", "differs from the product's first row, line 2")]


def test_a_product_has_no_more_variants_and_pictures_than_the_limits() -> None:
    def file(variants: int, pictures: int) -> str:
        choices = [f"a,,,{place}," for place in range(1, variants)]
        return join_rows(
            "Handle,Title,Option1 Name,Option1 Value,Image Src",
            "a,A,Size,0,/p.jpg",
            *choices,
            *["a,,,,/p.jpg"] * (pictures - 1),
        )

    most = only_product(parse_text(file(VARIANT_LIMIT, PICTURE_LIMIT)))
    assert (len(most.variants), len(most.pictures)) == (VARIANT_LIMIT, PICTURE_LIMIT)
    assert problems_of(parse_text(file(VARIANT_LIMIT + 1, PICTURE_LIMIT + 1))) == [
        (2, "Handle", "more than 2,048 variants"),
        (2, "Image Src", "more than 250 pictures"),
    ]


@pytest.mark.parametrize(
    ("start", "kinds"), [(b"PK\x03\x04", "xlsx或ods"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls")]
)
def test_a_spreadsheet_is_refused_in_the_language_of_the_reader(start: bytes, kinds: str) -> None:
    [problem] = read_products(start, file="file.csv", currency=CurrencyCode.CNY).problems

    assert isinstance(problem.reason, Message)
    assert problem.reason.text("zh-CN") == f"这是电子表格文件（{kinds}）：请另存为 UTF-8 编码的 CSV"


def test_all_problems_of_a_file_are_listed_by_line() -> None:
    parsed = parse_text(join_rows("Handle,Title,Price,SKU", "a,,x,T", '"b","B\nb",1,T', "c,C,y,"))

    assert problems_of(parsed) == [
        (2, "Title", "the product has no title"),
        (2, "Price", '"x" is not an amount such as 12.50'),
        (5, "Price", '"y" is not an amount such as 12.50'),
    ]


def test_problems_beyond_the_limit_are_counted() -> None:
    parsed = parse_text(join_rows("Handle,Title", *(f"a {row},A" for row in range(PROBLEM_LIMIT + 12))))

    assert len(problems_of(parsed)) == PROBLEM_LIMIT + 1
    assert problems_of(parsed)[-1] == (0, "", "... and 12 more")
