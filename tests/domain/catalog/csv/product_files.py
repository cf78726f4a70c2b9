"""Reading, writing and generating product files for tests."""

import string

from hypothesis import strategies as st

from domain.catalog.csv import CsvWriter, ParsedFile, columns_of, read_products
from domain.catalog.product import PictureDraft, PriceDraft, ProductDraft, VariantDraft, clean_html
from domain.visible_text import visible_text
from models.catalog import ProductStatus
from models.money import CurrencyCode, Money


def parse_text(text: str, *, currency: CurrencyCode = CurrencyCode.CNY) -> ParsedFile:
    return read_products(text.encode(), file="products.csv", currency=currency)


def write_csv(products: tuple[ProductDraft, ...], *, currency: CurrencyCode = CurrencyCode.CNY) -> bytes:
    writer = CsvWriter(columns_of(products, currency), currency=currency)
    return writer.header() + b"".join(writer.rows([product]) for product in products)


def join_rows(header: str, *rows: str) -> str:
    return "\n".join((header, *rows, ""))


def only_product(parsed: ParsedFile) -> ProductDraft:
    assert parsed.problems == ()
    (product,) = parsed.products
    return product


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

# What a parsed file may hold: texts without white space around them, numbered pictures, equal option names.
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXT = st.text(LETTERS, max_size=20).map(visible_text)
NAME = TEXT.filter(bool)

CODE = (
    st.text(string.ascii_letters + string.digits + "-_ ./", min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)
ADDRESS = st.sampled_from(["https://pics.test/", "http://pics.test/", "//pics.test/", "/media/"]).flatmap(
    lambda start: st.text(string.ascii_letters + "%?=&,;\"'", min_size=1, max_size=8).map(start.__add__)
)
BODY = st.one_of(TEXT, HTML).map(clean_html)
UNITS = st.integers(0, 1_000_000_000)
FOREIGN = st.sampled_from(["Gift Card", "Google Shopping / MPN", "Notes", "货架"])
FOREIGN_OF_VARIANT = st.sampled_from(
    ["Variant Tax Code", "Cost per item", "Price / International", "Tax code"]
)


def price_drafts() -> st.SearchStrategy[dict[CurrencyCode, PriceDraft]]:
    def price(currency: CurrencyCode) -> st.SearchStrategy[tuple[CurrencyCode, PriceDraft]]:
        amounts = st.integers(0, 10**12 - 1).map(lambda minor: Money(minor, currency))
        return st.builds(
            lambda amount, before: (currency, PriceDraft(amount, before or None)),
            amounts,
            st.none() | amounts,
        )

    return st.lists(st.sampled_from(CurrencyCode).flatmap(price), max_size=3).map(dict)


def variant_drafts(
    options: tuple[tuple[str, str], ...], *, sku: str | None, columns: st.SearchStrategy[str]
) -> st.SearchStrategy[VariantDraft]:
    return st.builds(
        VariantDraft,
        options=st.just(options),
        sku=st.just(sku),
        barcode=st.none() | NAME,
        prices=price_drafts(),
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


def option_sets(count: int) -> st.SearchStrategy[list[tuple[tuple[str, str], ...]]]:
    """Sets of different values of `count` options; without options there is only one."""
    if count == 0:
        return st.lists(st.just(()), max_size=1)
    names = st.lists(NAME, min_size=count, max_size=count, unique=True)
    choices = st.lists(st.tuples(*[NAME] * count), max_size=4, unique=True)
    return st.builds(
        lambda names, choices: [tuple(zip(names, chosen, strict=True)) for chosen in choices], names, choices
    )


@st.composite
def product_drafts(draw: st.DrawFn, slug: str) -> ProductDraft:
    columns = draw(st.dictionaries(FOREIGN, NAME, max_size=2))
    foreign = st.one_of(FOREIGN.filter(lambda name: name not in columns), FOREIGN_OF_VARIANT)
    chosen = draw(st.integers(0, 3).flatmap(option_sets))
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
            draw(variant_drafts(each, sku=draw(st.sampled_from([None, f"{slug}-{place}"])), columns=foreign))
            for place, each in enumerate(chosen)
        ),
        columns=columns,
    )
