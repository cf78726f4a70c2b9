"""Reading and writing product files in a line."""

import string

from hypothesis import strategies as st

from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.html import clean
from domain.catalog.interchange import Reading, Writer, columns_of, read_products
from domain.visible import visible
from models.catalog import ProductStatus
from models.money import CurrencyCode, Money


def read(text: str, *, currency: CurrencyCode = CurrencyCode.CNY) -> Reading:
    return read_products(text.encode(), file="goods.csv", currency=currency)


def written(products: tuple[ProductDraft, ...], *, currency: CurrencyCode = CurrencyCode.CNY) -> bytes:
    writer = Writer(columns_of(products, currency), currency=currency)
    return writer.header() + b"".join(writer.rows([product]) for product in products)


def table(header: str, *rows: str) -> str:
    return "\n".join((header, *rows, ""))


def only(reading: Reading) -> ProductDraft:
    assert reading.problems == ()
    (product,) = reading.products
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

# What a reading can hold: texts without white space around them, pictures in order, options of equal names.
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXT = st.text(LETTERS, max_size=20).map(visible)
NAME = TEXT.filter(bool)

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
