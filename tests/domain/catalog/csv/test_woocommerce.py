"""Product exports of WooCommerce, recognised by their header."""

from domain.catalog.csv import ParsedFile
from domain.catalog.product import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from models import CurrencyCode, Money, ProductStatus
from tests.domain.catalog.csv.product_files import join_rows, parse_text, write_csv

CNY = CurrencyCode.CNY

HEADER = (
    'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,"Visibility in catalog","Short description",'
    'Description,"Date sale price ends","Tax status","In stock?",Stock,"Backorders allowed?","Weight (kg)",'
    '"Length (cm)","Sale price","Regular price",Categories,Tags,Images,Parent,Brands,"Attribute 1 name",'
    '"Attribute 1 value(s)","Attribute 2 name","Attribute 2 value(s)"'
)
TEE = (
    '1,variable,tee,,Tee,1,visible,Short,<b>Tee</b>,,taxable,1,,0,.5,24,,,"Clothing > Tees, Clothing","a, b",'
    '"https://pics.test/a.jpg, https://pics.test/b.jpg",,Loom,Colour,"Blue, Red",Size,L'
)
RED = (
    "2,variation,tee-red,6901234567892,Tee - Red,1,visible,,,,taxable,1,5,notify,,,18,20,,,https://pics.test/r.jpg,tee,,"
    "Colour,Red,,"
)
BLUE = "3,variation,tee-blue,,Tee - Blue,1,visible,,,,taxable,0,,0,.7,,,20,,,,id:1,,Colour,Blue,,"
ALBUM = (
    '4,"simple, virtual",album,,Album,1,hidden,Just sound,,,none,1,,0,,,,15,Music,,,,,Maker,'
    '"Smith\\, Co, Ltd",,'
)


def price(amount: int, before: int | None = None) -> dict[CurrencyCode, PriceDraft]:
    return {CNY: PriceDraft(Money(amount, CNY), None if before is None else Money(before, CNY))}


def notes_of(parsed: ParsedFile) -> list[tuple[int, str, str]]:
    return [(note.line, note.column, str(note.reason)) for note in parsed.notes]


def test_simple_and_variable_products_are_read() -> None:
    parsed = parse_text(join_rows(HEADER, TEE, RED, BLUE, ALBUM))

    assert (parsed.format, parsed.problems, parsed.notes) == ("WooCommerce", (), ())
    assert parsed.products == (
        ProductDraft(
            slug="tee",
            title="Tee",
            description="<b>Tee</b>",
            brand="Loom",
            category_path=("Clothing", "Tees"),
            tags=("a", "b"),
            attributes={"Size": ("L",)},
            pictures=(
                PictureDraft("https://pics.test/a.jpg", "", 1),
                PictureDraft("https://pics.test/b.jpg", "", 2),
            ),
            variants=(
                VariantDraft(
                    options=(("Colour", "Red"),),
                    sku="tee-red",
                    barcode="6901234567892",
                    prices=price(1_800, 2_000),
                    weight_grams=500,
                    stock={"": 5},
                    sells_when_out=True,
                    picture_url="https://pics.test/r.jpg",
                    columns={"ID": "2"},
                ),
                VariantDraft(
                    options=(("Colour", "Blue"),),
                    sku="tee-blue",
                    prices=price(2_000),
                    weight_grams=700,
                    stock={"": 0},
                    columns={"ID": "3"},
                ),
            ),
            columns={
                "ID": "1",
                "Short description": "Short",
                "Length (cm)": "24",
                "SKU of the product": "tee",
            },
        ),
        ProductDraft(
            slug="album",
            title="Album",
            description="Just sound",
            category_path=("Music",),
            status=ProductStatus.UNLISTED,
            attributes={"Maker": ("Smith, Co", "Ltd")},
            variants=(
                VariantDraft(
                    sku="album", prices=price(1_500), tracked=False, requires_shipping=False, taxable=False
                ),
            ),
            columns={"ID": "4"},
        ),
    )


def test_what_was_read_from_woocommerce_is_exported_and_read_again() -> None:
    parsed = parse_text(join_rows(HEADER, TEE, RED, BLUE, ALBUM))

    again = parse_text(write_csv(parsed.products).decode())

    assert (again.format, again.products) == ("Shopify", parsed.products)


def test_what_the_shop_cannot_have_is_noted() -> None:
    rows = (
        "1,grouped,g,,Set,1,visible,,x,,taxable,1,,0,,,,,,,,,,,,,",
        '2,simple,s,,Lamp,1,visible,,x,2026-12-31,taxable,1,parent,0,,,8,9,"A, B > C, D",,,,,,,,',
        "3,variable,v,,Vase,0,visible,,x,,taxable,1,,0,,,,,,,,,,Colour,Red,,",
        "4,variation,,,Vase,1,visible,,,,taxable,1,,0,,,,9,,,,v,,Colour,Red,Size,L",
        "5,variation,,,Vase,1,visible,,,,taxable,1,,0,,,,9,,,,v,,Colour,,Size,M",
    )
    parsed = parse_text(join_rows(HEADER, *rows))

    assert parsed.problems == ()
    assert notes_of(parsed) == [
        (2, "Type", "grouped and external products are taken as drafts"),
        (3, "Categories", "a product has one category; left out: A, D"),
        (3, "Sale price", "a sale with dates is left out: schedule a price change"),
        (3, "Stock", "stock that variations share is left out: they are not counted"),
        (6, "Type", "a variation for any Colour is one variant"),
    ]
    group, lamp, vase = parsed.products
    assert (group.status, group.variants) == (ProductStatus.DRAFT, ())
    assert (lamp.category_path, lamp.variants[0].prices) == (("B", "C"), price(900))
    assert vase.status is ProductStatus.DRAFT
    assert [variant.options for variant in vase.variants] == [
        (("Colour", "Red"), ("Size", "L")),
        (("Colour", "Any"), ("Size", "M")),
    ]


def test_an_option_that_no_variation_chooses_and_a_price_that_is_not_taken_are_noted() -> None:
    rows = (
        "1,external,e,,Pennant,1,visible,,x,,taxable,1,,0,,,,11,,,,,,,,,",
        "2,variable,v,,Vase,1,visible,,x,,taxable,1,,0,,,,,,,,,,Colour,Red,Size,L",
        "3,variation,,,Vase,1,visible,,,,taxable,1,,0,,,,9,,,,v,,Colour,Red,Size,",
    )
    parsed = parse_text(join_rows(HEADER, *rows))

    assert parsed.problems == ()
    assert notes_of(parsed) == [
        (2, "Type", "grouped and external products are taken as drafts"),
        (2, "Regular price", "nothing is sold here: the price is left out"),
        (4, "Type", "a variation for any Size is one variant"),
    ]


def test_an_export_with_a_column_twice_is_refused() -> None:
    row = "1,simple,s,,Lamp,1,visible,,x,,taxable,1,,0,,,,9,,,,,,,,,"

    parsed = parse_text(join_rows(f"{HEADER},name", f"{row},Other"))

    assert [(each.line, each.column, each.reason) for each in parsed.problems] == [
        (1, "name", "the header has this column twice")
    ]


def test_problems_name_the_columns_as_the_file_writes_them() -> None:
    parsed = parse_text(
        join_rows(
            HEADER,
            '1,simple,s,,Lamp,1,visible,,x,,taxable,1,many,0,heavy,,,"9,50",,,,,,,,,',
            "2,variation,,,Vase,1,visible,,,,taxable,1,,0,,,,9,,,,nobody,,Colour,Red,,",
            "3,simple,t,,,1,visible,,x,,taxable,1,,0,,,,9,,,,,,,,,",
        )
    )

    assert [(each.line, each.column, each.reason) for each in parsed.problems] == [
        (2, "Stock", '"many" is not a whole number'),
        (2, "Regular price", '"9,50" is not an amount such as 12.50'),
        (2, "Weight (kg)", '"heavy" is not a weight in grams'),
        (3, "Parent", 'no product "nobody" is in the file'),
        (4, "Name", "the product has no title"),
    ]


def test_products_of_one_name_get_slugs_of_their_own() -> None:
    rows = [
        f"{id},simple,s{id},,{name},1,visible,,,,,1,,0,,,,9,,,,,,,,,"
        for id, name in ((7, "Cup"), (8, "Cup"), (9, "?"))
    ]
    parsed = parse_text(join_rows(HEADER, *rows))

    assert [product.slug for product in parsed.products] == ["cup-7", "cup-8", "product-9"]
