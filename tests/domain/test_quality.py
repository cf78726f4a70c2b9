"""Assessing a catalogue by its facts, without a database."""

import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw

from domain.media import read_picture
from domain.quality import QualityAssessment, QualityReason, assess
from domain.quality.facts import AttributeFacts, CatalogueFacts, PictureFacts, ProductFacts, VariantFacts
from domain.quality.texts import MANY
from models import AttributeType, CurrencyCode

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD
R = QualityReason
SIZE = AttributeFacts(1, "size", "Size", AttributeType.NUMBER, "cm")
FILL = AttributeFacts(2, "fill", "Contents", AttributeType.TEXT, None)
COLOUR = AttributeFacts(3, "colour", "Colour", AttributeType.ENUM, None)
BOTH = {"en": {"title": "Tea", "description": "Picked by hand."}}


def product(id: int, title: str = "", **given: Any) -> ProductFacts:
    """A complete product, but for what is given."""
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
        "text": f"Picked by hand in spring {id}.",
        "brand": "",
        "product_type": "",
        "category_ids": (1, 2),
        "translations": BOTH,
        "pictures": [PictureFacts(f"https://pictures.test/{id}", fingerprint)],
        "variants": [variant],
    }
    return ProductFacts(id=id, **(whole | given))


def assess_products(*products: ProductFacts, required: Sequence[int] = ()) -> QualityAssessment:
    attributes = {each.id: each for each in (SIZE, FILL, COLOUR)}
    return assess(CatalogueFacts(products, attributes, {1: required}, {1: "Food", 2: "Tea"}))


def fields_of(assessment: QualityAssessment, reason: QualityReason) -> list[tuple[int, str]]:
    return sorted((each.product_id, each.field) for each in assessment.issues if each.reason is reason)


def test_a_complete_product_has_no_issues() -> None:
    assessment = assess_products(product(1))

    assert (assessment.score, assessment.issues) == (100, [])


@pytest.mark.parametrize(
    ("lacks", "reason", "field"),
    [
        ({"pictures": []}, R.PICTURE, "media"),
        ({"text": ""}, R.DESCRIPTION, "description"),
        ({"text": "New!"}, R.DESCRIPTION, "description"),
        ({"category_ids": ()}, R.CATEGORY, "category"),
        ({"variants": []}, R.PRICE, "variants"),
        ({"price": None}, R.PRICE, "variants.S1.prices"),
        ({"grams": 0}, R.WEIGHT, "variants.S1.weightGrams"),
        ({"translations": {}}, R.TRANSLATION, "translations.en"),
        ({"translations": {"en": {"title": "Tea"}}}, R.TRANSLATION, "translations.en"),
    ],
)
def test_something_missing_is_an_issue_of_its_field(
    lacks: dict[str, Any], reason: QualityReason, field: str
) -> None:
    assessment = assess_products(product(1, **lacks), product(2))

    assert [(each.product_id, each.reason, each.field) for each in assessment.issues] == [(1, reason, field)]
    assert [each.score for each in assessment.products] == [83, 100]


def test_what_a_category_requires_counts_for_everything_below_it() -> None:
    assessment = assess_products(
        product(1), product(2, attribute_values={3: [None], 1: [12.0]}), required=[1, 3]
    )

    assert fields_of(assessment, R.ATTRIBUTE) == [(1, "attributes.colour"), (1, "attributes.size")]
    assert [(each.product_id, each.score) for each in assessment.products] == [(1, 75), (2, 100)]


def test_a_price_far_from_those_of_its_category_is_one_issue() -> None:
    usual = [product(id_, price=price) for id_, price in enumerate(range(900, 2_000, 100), start=10)]
    dear, cheap = product(1, price=120_000), product(2, price=11)
    fair = product(3, price=3_900)

    assessment = assess_products(dear, cheap, fair, product(4, price=0), *usual)

    assert fields_of(assessment, R.PRICE_OUTLIER) == [(1, "prices.CNY"), (2, "prices.CNY"), (4, "prices.CNY")]
    messages = {each.product_id: str(each.message) for each in assessment.issues}
    assert messages[1] == "It costs 1,200.00 CNY, what else is in Tea about 14.49 CNY."
    assert messages[4] == "It costs nothing."


def test_a_small_category_is_compared_with_the_one_above_it() -> None:
    aunts = [product(id_, price=1_000 + id_, category_ids=(1, 3)) for id_ in range(10, 18)]

    assert fields_of(assess_products(product(1, price=90_000), *aunts[:6]), R.PRICE_OUTLIER) == []
    assert fields_of(assess_products(product(1, price=90_000), *aunts), R.PRICE_OUTLIER) == [
        (1, "prices.CNY")
    ]


def test_a_number_in_the_wrong_unit_is_an_outlier() -> None:
    usual = [product(id_, grams=400 + 20 * id_, attribute_values={1: [20.0 + id_]}) for id_ in range(10, 20)]

    assessment = assess_products(
        product(1, grams=600_000, attribute_values={1: [3_500.0]}), product(2, grams=650), *usual
    )

    assert fields_of(assessment, R.WEIGHT_OUTLIER) == [(1, "variants.weightGrams")]
    assert fields_of(assessment, R.NUMBER_OUTLIER) == [(1, "attributes.size")]
    messages = {each.reason: str(each.message) for each in assessment.issues}
    assert messages[R.WEIGHT_OUTLIER].endswith("a thousand times more: is it in the right unit?")
    assert messages[R.NUMBER_OUTLIER].endswith("a hundred times more: is it in the right unit?")


def test_a_text_without_the_usual_unit_is_an_issue() -> None:
    texts = ["500 ml", "250ml", "1,5 ml", "330 ML", "750 ml", "500 ml", "200", "2 l"]
    assessment = assess_products(
        *(product(id_, attribute_values={2: [text]}) for id_, text in enumerate(texts, start=1))
    )

    assert fields_of(assessment, R.UNIT) == [(7, "attributes.fill"), (8, "attributes.fill")]
    messages = {each.product_id: str(each.message) for each in assessment.issues}
    assert messages[7] == "“200” has no unit; others are in ml."
    assert messages[8] == "“2 l” is in l; others are in ml."


@pytest.mark.parametrize(
    ("before", "misleads"), [(900, True), (1_000, False), (1_200, False), (9_999, False), (10_000, True)]
)
def test_a_compare_at_price_misleads_where_it_is_lower_or_ten_times_as_high(
    before: int, misleads: bool
) -> None:
    assessment = assess_products(product(1, price=1_000, before=before))

    expected = [(1, "variants.S1.prices.CNY.compareAt")] if misleads else []
    assert fields_of(assessment, R.COMPARE_AT_PRICE) == expected


def test_misleading_compare_at_prices_are_one_issue_of_the_product() -> None:
    one, other = product(1, before=900), product(2, before=900, currency=USD)
    both = product(1, variants=[*one.variants, *other.variants])

    assert fields_of(assess_products(both), R.COMPARE_AT_PRICE) == [(1, "variants.S1.prices.CNY.compareAt")]


def test_a_shop_of_one_language_needs_no_translation() -> None:
    assessment = assess_products(product(1, translations={}), product(2, translations={}))

    assert (assessment.score, assessment.issues) == (100, [])


@pytest.mark.parametrize(
    ("title", "is_placeholder"),
    [
        ("test", True),
        ("Test 2", True),
        ("TEST-3", True),
        ("New product", True),
        ("xxx", True),
        ("测试商品1", True),
        ("Lorem ipsum", True),
        ("Ｔｅｓｔ", True),
        ("Test tube", False),
        ("Sample set of ten teas", False),
        ("测试仪", False),
        ("XXL shirt", False),
    ],
)
def test_a_title_that_is_a_placeholder_is_an_issue(title: str, is_placeholder: bool) -> None:
    found = fields_of(assess_products(product(1, title)), R.PLACEHOLDER)

    assert found == ([(1, "title")] if is_placeholder else [])


def test_a_description_that_is_a_placeholder_is_an_issue() -> None:
    assessment = assess_products(product(1, text="Lorem ipsum dolor sit amet."), product(2))

    assert fields_of(assessment, R.PLACEHOLDER) == [(1, "description")]


def test_one_description_on_many_products_is_an_issue_of_each() -> None:
    few = [product(id, text="Best  quality, best price.") for id in range(1, MANY)]
    other = product(9, text="Something of its own.")

    assert fields_of(assess_products(*few, other), R.DUPLICATE_DESCRIPTION) == []
    many = assess_products(*few, product(MANY, text="best quality, BEST price."), other)
    assert fields_of(many, R.DUPLICATE_DESCRIPTION) == [(id, "description") for id in range(1, MANY + 1)]
    assert str(many.issues[0].message) == "Its description is that of 3 other products, too."


def test_an_issue_of_what_sells_comes_before_one_of_what_is_only_seen_and_stocked() -> None:
    sells = product(1, pictures=[], on_hand=0, sold={CNY: (10, 10_000)})
    seen = product(2, pictures=[], views=1_000, on_hand=1_000)

    issues = assess_products(seen, sells).issues

    assert [each.product_id for each in issues if each.reason is R.PICTURE] == [1, 2]


def test_a_barcode_belongs_to_one_variant() -> None:
    assessment = assess_products(
        product(1, barcode="06901234567892"), product(2, barcode="6901234567892 "), product(3, barcode="1")
    )

    (issue,) = assessment.issues
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
def test_only_titles_that_differ_in_spelling_are_duplicates(a: str, b: str, same: bool) -> None:
    assessment = assess_products(product(1, a), product(2, b))

    assert [(each.product_id, each.other_id) for each in assessment.issues] == ([(2, 1)] if same else [])


def test_products_of_other_brands_or_barcodes_are_no_duplicates() -> None:
    title, near = "Ceylon Breakfast Tea Organic", "Ceylon Breakfest Tea Organic"

    brands = assess_products(product(1, title, brand="A"), product(2, title, brand="B"))
    codes = assess_products(product(1, title, barcode="11"), product(2, near, barcode="22"))
    same = assess_products(product(1, title, barcode="11"), product(2, title, barcode="22"))

    assert (brands.issues, codes.issues) == ([], [])
    assert str(same.issues[0].message).endswith("their barcodes differ: say what sets them apart.")


def draw_picture(seed: int, size: tuple[int, int] = (200, 200), format: str = "PNG") -> bytes:
    image = Image.new("RGB", (200, 200), "white")
    pen = ImageDraw.Draw(image)
    for step in range(6):
        left = (seed * 37 + step * 53) % 150
        top = (seed * 91 + step * 29) % 150
        pen.rectangle((left, top, left + 45, top + 40), fill=((seed * 40 + step * 35) % 255, step * 40, 90))
    file = BytesIO()
    image.resize(size).save(file, format)
    return file.getvalue()


def test_a_picture_is_recognized_after_it_was_saved_again() -> None:
    first, again, other = (
        read_picture(data).fingerprint
        for data in (draw_picture(1), draw_picture(1, (120, 120), "JPEG"), draw_picture(5))
    )
    plain = BytesIO()
    Image.new("RGB", (50, 50), "white").save(plain, "PNG")
    white = read_picture(plain.getvalue()).fingerprint

    assessment = assess_products(
        product(1, fingerprint=first),
        product(2, fingerprint=again),
        product(3, fingerprint=other),
        product(4, fingerprint=white),
        product(5, fingerprint=white),
    )

    assert [(each.product_id, each.other_id, each.reason) for each in assessment.issues] == [
        (2, 1, R.DUPLICATE_PICTURE)
    ]


def test_an_external_picture_is_a_duplicate_unless_many_products_have_it() -> None:
    same = [PictureFacts("https://pictures.test/x", None)]
    logo = [PictureFacts("https://pictures.test/logo", None)]
    assessment = assess_products(
        product(1, pictures=same),
        product(2, pictures=same),
        *(product(id_, pictures=logo) for id_ in range(3, 12)),
    )

    assert fields_of(assessment, R.DUPLICATE_PICTURE) == [(2, "media")]


def test_issues_of_viewed_sold_and_stocked_products_come_first() -> None:
    quiet = product(1, pictures=[], on_hand=0)
    stocked = product(2, pictures=[], on_hand=10)
    sold = product(3, pictures=[], on_hand=10, sold={CNY: (5, 9_000)})
    seen_often = product(4, pictures=[], on_hand=10, sold={CNY: (5, 9_000)}, views=100)

    issues = assess_products(quiet, stocked, sold, seen_often).issues

    assert [each.product_id for each in issues] == [4, 3, 2, 1]
    assert all(each.gain > 0 for each in issues)


def test_sales_in_two_currencies_are_never_added() -> None:
    yuan = product(1, pictures=[], on_hand=0, sold={CNY: (5, 1_000_000)})
    dollar = product(2, pictures=[], on_hand=0, sold={USD: (5, 10)})

    first, second = assess_products(yuan, dollar).issues

    assert first.gain == second.gain


def test_twenty_thousand_products_take_seconds() -> None:
    colours = ["Red", "Green", "Blue", "Black", "White", "Grey", "Pink", "Gold"]
    many = [
        product(
            id_,
            f"{colours[id_ % 8]} mug model {id_ // 8:05} of series {id_ % 97}",
            price=1_000 + id_ % 700,
            category_ids=(1, 2 + id_ % 50),
            attribute_values={1: [10.0 + id_ % 9], 2: [f"{id_ % 5 + 1} ml"]},
            fingerprint=hash((id_, "x")),
        )
        for id_ in range(1, 20_001)
    ]
    catalogue = CatalogueFacts(many, {1: SIZE, 2: FILL}, {}, dict.fromkeys(range(60), "Mugs"))

    before = time.process_time()
    assess(catalogue)

    assert time.process_time() - before < 30
