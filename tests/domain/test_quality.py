"""What is to be put right in a catalogue: told by facts, no database needed."""

import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw

from domain.media import read_picture
from domain.quality import Assessment, QualityReason, assess
from domain.quality.facts import AttributeFacts, Catalogue, PictureFacts, ProductFacts, VariantFacts
from models import AttributeType, CurrencyCode

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD
R = QualityReason
SIZE = AttributeFacts(1, "size", "Size", AttributeType.NUMBER, "cm")
FILL = AttributeFacts(2, "fill", "Contents", AttributeType.TEXT, None)
COLOUR = AttributeFacts(3, "colour", "Colour", AttributeType.ENUM, None)
BOTH = {"en": {"title": "Tea", "description": "Picked by hand."}}


def product(id: int, title: str = "", **given: Any) -> ProductFacts:
    """Whole in every way but what is given."""
    price, barcode = given.pop("price", 1_000), given.pop("barcode", None)
    fingerprint = given.pop("fingerprint", None)
    variant = VariantFacts(
        id=id,
        name="",
        sku=f"S{id}",
        barcode=barcode,
        weight_grams=given.pop("grams", 500),
        requires_shipping=True,
        options=[],
        on_hand=given.pop("on_hand", 10),
        prices={} if price is None else {given.pop("currency", CNY): (price, given.pop("before", None))},
    )
    whole: dict[str, Any] = {
        "slug": f"p{id}",
        "title": title or f"Thing number {id}",
        "text": "Picked by hand in spring.",
        "brand": "",
        "product_type": "",
        "line": (1, 2),
        "translations": BOTH,
        "pictures": [PictureFacts(f"https://pictures.test/{id}", fingerprint)],
        "variants": [variant],
    }
    return ProductFacts(id=id, **(whole | given))


def looked_through(*products: ProductFacts, required: Sequence[int] = ()) -> Assessment:
    attributes = {each.id: each for each in (SIZE, FILL, COLOUR)}
    return assess(Catalogue(products, attributes, {1: required}, {1: "Food", 2: "Tea"}))


def found(assessment: Assessment, reason: QualityReason) -> list[tuple[int, str]]:
    return sorted((each.product_id, each.field) for each in assessment.issues if each.reason is reason)


def test_a_whole_product_has_nothing_to_put_right() -> None:
    seen = looked_through(product(1))

    assert (seen.score, seen.issues) == (100, [])


@pytest.mark.parametrize(
    ("lacks", "reason", "field"),
    [
        ({"pictures": []}, R.PICTURE, "media"),
        ({"text": ""}, R.DESCRIPTION, "description"),
        ({"text": "New!"}, R.DESCRIPTION, "description"),
        ({"line": ()}, R.CATEGORY, "category"),
        ({"variants": []}, R.PRICE, "variants"),
        ({"price": None}, R.PRICE, "variants.S1.prices"),
        ({"grams": 0}, R.WEIGHT, "variants.S1.weightGrams"),
        ({"translations": {}}, R.TRANSLATION, "translations.en"),
        ({"translations": {"en": {"title": "Tea"}}}, R.TRANSLATION, "translations.en"),
    ],
)
def test_what_is_missing_is_told_with_its_field(
    lacks: dict[str, Any], reason: QualityReason, field: str
) -> None:
    seen = looked_through(product(1, **lacks), product(2))

    assert [(each.product_id, each.reason, each.field) for each in seen.issues] == [(1, reason, field)]
    assert [each.score for each in seen.products] == [83, 100]


def test_what_a_category_requires_counts_for_everything_below_it() -> None:
    seen = looked_through(product(1), product(2, said={3: [None], 1: [12.0]}), required=[1, 3])

    assert found(seen, R.ATTRIBUTE) == [(1, "attributes.colour"), (1, "attributes.size")]
    assert [(each.product_id, each.score) for each in seen.products] == [(1, 75), (2, 100)]


def test_a_price_far_from_those_of_its_category_is_told_once() -> None:
    usual = [product(id_, price=price) for id_, price in enumerate(range(900, 2_000, 100), start=10)]
    dear, cheap = product(1, price=120_000), product(2, price=11)
    fair = product(3, price=3_900)

    seen = looked_through(dear, cheap, fair, product(4, price=0), *usual)

    assert found(seen, R.PRICE_OUTLIER) == [(1, "prices.CNY"), (2, "prices.CNY"), (4, "prices.CNY")]
    words = {each.product_id: each.words for each in seen.issues}
    assert words[1] == "It costs 1200.00 CNY, what else is in Tea about 14.49 CNY."
    assert words[4] == "It costs nothing."


def test_few_siblings_tell_nothing_but_those_above_may() -> None:
    aunts = [product(id_, price=1_000 + id_, line=(1, 3)) for id_ in range(10, 18)]

    assert found(looked_through(product(1, price=90_000), *aunts[:6]), R.PRICE_OUTLIER) == []
    assert found(looked_through(product(1, price=90_000), *aunts), R.PRICE_OUTLIER) == [(1, "prices.CNY")]


def test_a_number_in_the_wrong_unit_stands_out() -> None:
    usual = [product(id_, grams=400 + 20 * id_, said={1: [20.0 + id_]}) for id_ in range(10, 20)]

    seen = looked_through(product(1, grams=600_000, said={1: [3_500.0]}), product(2, grams=650), *usual)

    assert found(seen, R.WEIGHT_OUTLIER) == [(1, "variants.weightGrams")]
    assert found(seen, R.NUMBER_OUTLIER) == [(1, "attributes.size")]
    words = {each.reason: each.words for each in seen.issues}
    assert words[R.WEIGHT_OUTLIER].endswith("a thousand times more: is it in the right unit?")
    assert words[R.NUMBER_OUTLIER].endswith("a hundred times more: is it in the right unit?")


def test_a_text_without_the_unit_its_siblings_use_is_told() -> None:
    said = ["500 ml", "250ml", "1,5 ml", "330 ML", "750 ml", "500 ml", "200", "2 l"]
    seen = looked_through(*(product(id_, said={2: [text]}) for id_, text in enumerate(said, start=1)))

    assert found(seen, R.UNIT) == [(7, "attributes.fill"), (8, "attributes.fill")]
    words = {each.product_id: each.words for each in seen.issues}
    assert words[7] == "“200” has no unit; others are said in ml."
    assert words[8] == "“2 l” is in l; others are said in ml."


def test_what_cost_less_before_was_never_reduced() -> None:
    seen = looked_through(product(1, price=1_000, before=900), product(2, price=1_000, before=1_200))

    assert found(seen, R.COMPARE_AT_PRICE) == [(1, "variants.S1.prices.CNY.compareAt")]


def test_one_barcode_is_on_one_thing() -> None:
    seen = looked_through(
        product(1, barcode="06901234567892"), product(2, barcode="6901234567892 "), product(3, barcode="1")
    )

    (issue,) = seen.issues
    assert (issue.product_id, issue.other_id, issue.field) == (2, 1, "variants.S2.barcode")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Longjing Green Tea", "longjing  green tea!", True),
        ("Longjing Green Tea 500 g", "Green Tea Longjing, 500 g", True),
        ("Ceylon Breakfast Tea Organic", "Ceylon Breakfest Tea Organic", True),
        ("Longjing Green Tea 500 g", "Longjing Green Tea 250 g", False),
        ("Snagless patch cable 15 ft red", "Snagless patch cable 15 ft green", False),
        ("HP 2309m Full HD LCD monitor", "HP 2309v Full HD LCD monitor", False),
        ("Intel SR1600URR server board silver", "Intel SR1600URHSR server board silver", False),
        ("20寸 全铝镁合金登机箱", "20寸 铝镁合金登机箱", True),
        ("Let it go女式纯棉免洗内裤", "Let it go男式纯棉免洗内裤", False),
        ("西湖龙井绿茶", "西湖龙井绿茶", True),
    ],
)
def test_titles_that_say_the_same_are_told_and_no_others(a: str, b: str, same: bool) -> None:
    seen = looked_through(product(1, a), product(2, b))

    assert [(each.product_id, each.other_id) for each in seen.issues] == ([(2, 1)] if same else [])


def test_another_brand_or_barcode_makes_titles_two_things() -> None:
    title, near = "Ceylon Breakfast Tea Organic", "Ceylon Breakfest Tea Organic"

    brands = looked_through(product(1, title, brand="A"), product(2, title, brand="B"))
    codes = looked_through(product(1, title, barcode="11"), product(2, near, barcode="22"))
    same = looked_through(product(1, title, barcode="11"), product(2, title, barcode="22"))

    assert (brands.issues, codes.issues) == ([], [])
    assert same.issues[0].words.endswith("their barcodes differ: say what sets them apart.")


def drawn(seed: int, size: tuple[int, int] = (200, 200), format: str = "PNG") -> bytes:
    image = Image.new("RGB", (200, 200), "white")
    pen = ImageDraw.Draw(image)
    for step in range(6):
        left = (seed * 37 + step * 53) % 150
        top = (seed * 91 + step * 29) % 150
        pen.rectangle((left, top, left + 45, top + 40), fill=((seed * 40 + step * 35) % 255, step * 40, 90))
    file = BytesIO()
    image.resize(size).save(file, format)
    return file.getvalue()


def test_a_picture_is_known_again_when_it_was_saved_anew() -> None:
    first, again, other = (
        read_picture(data).fingerprint for data in (drawn(1), drawn(1, (120, 120), "JPEG"), drawn(5))
    )
    plain = BytesIO()
    Image.new("RGB", (50, 50), "white").save(plain, "PNG")
    white = read_picture(plain.getvalue()).fingerprint

    seen = looked_through(
        product(1, fingerprint=first),
        product(2, fingerprint=again),
        product(3, fingerprint=other),
        product(4, fingerprint=white),
        product(5, fingerprint=white),
    )

    assert [(each.product_id, each.other_id, each.reason) for each in seen.issues] == [
        (2, 1, R.DUPLICATE_PICTURE)
    ]


def test_a_picture_elsewhere_is_known_by_its_address_unless_everybody_has_it() -> None:
    same = [PictureFacts("https://pictures.test/x", None)]
    logo = [PictureFacts("https://pictures.test/logo", None)]
    seen = looked_through(
        product(1, pictures=same),
        product(2, pictures=same),
        *(product(id_, pictures=logo) for id_ in range(3, 12)),
    )

    assert found(seen, R.DUPLICATE_PICTURE) == [(2, "media")]


def test_what_is_looked_at_sold_and_in_stock_comes_first() -> None:
    quiet = product(1, pictures=[], on_hand=0)
    stocked = product(2, pictures=[], on_hand=10)
    sold = product(3, pictures=[], on_hand=10, sold={CNY: (5, 9_000)})
    seen_often = product(4, pictures=[], on_hand=10, sold={CNY: (5, 9_000)}, views=100)

    issues = looked_through(quiet, stocked, sold, seen_often).issues

    assert [each.product_id for each in issues] == [4, 3, 2, 1]
    assert all(each.gain > 0 for each in issues)


def test_sales_in_two_currencies_are_parts_of_the_whole_never_a_sum() -> None:
    yuan = product(1, pictures=[], on_hand=0, sold={CNY: (5, 1_000_000)})
    dollar = product(2, pictures=[], on_hand=0, sold={USD: (5, 10)})

    first, second = looked_through(yuan, dollar).issues

    assert first.gain == second.gain


def test_twenty_thousand_products_take_seconds() -> None:
    colours = ["Red", "Green", "Blue", "Black", "White", "Grey", "Pink", "Gold"]
    many = [
        product(
            id_,
            f"{colours[id_ % 8]} mug model {id_ // 8:05} of series {id_ % 97}",
            price=1_000 + id_ % 700,
            line=(1, 2 + id_ % 50),
            said={1: [10.0 + id_ % 9], 2: [f"{id_ % 5 + 1} ml"]},
            fingerprint=hash((id_, "x")),
        )
        for id_ in range(1, 20_001)
    ]
    catalogue = Catalogue(many, {1: SIZE, 2: FILL}, {}, dict.fromkeys(range(60), "Mugs"))

    before = time.process_time()
    assess(catalogue)

    assert time.process_time() - before < 30
