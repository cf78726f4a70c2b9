"""The content of the demo shop is complete, consistent and safe."""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import phonenumbers
import pytest
import rjieba

from demo.content import OPTION_TRANSLATIONS, Content, WarehouseContent, read_content
from demo.content.files import parse_rows, read_tables
from demo.content.rules import attributes_by_category, category_paths, check_content, is_ean13
from demo.pictures import MOTIF_OF_CATEGORY, draw_picture
from domain.catalog.product import PriceDraft, ProductDraft, VariantDraft, clean_html
from domain.stock.pickup_hours import Weekday
from models.account import STAFF, Role
from models.aftersales import TicketReason, TicketType
from models.catalog import ProductStatus
from models.claim_policy import ClaimExclusion
from models.money import CurrencyCode, Money
from models.promotion import PromotionKind

CONTENT = read_content()
PATHS = category_paths(CONTENT.categories)
LEAVES: dict[tuple[str, ...], str] = {path: slug for slug, path in PATHS.items() if len(path) == 3}
VARIANTS = [variant for product in CONTENT.products for variant in product.variants]
SVG = "{http://www.w3.org/2000/svg}"


def english_title(product: ProductDraft) -> str:
    return product.translations["en"]["title"]


def stock_of(variant: VariantDraft) -> int:
    return sum(variant.stock.values())


def count_words(text: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in rjieba.cut(text))


def parse_svg(svg: bytes) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - drawn by us


def change_first_product(change: Callable[[ProductDraft], ProductDraft]) -> Content:
    first, *others = CONTENT.products
    return replace(CONTENT, products=(change(first), *others))


def change_first_variant(change: Callable[[VariantDraft], VariantDraft]) -> Content:
    return change_first_product(
        lambda product: replace(product, variants=(change(product.variants[0]), *product.variants[1:]))
    )


def test_the_shop_sells_at_least_66_products_in_nine_categories() -> None:
    assert len(CONTENT.products) >= 66
    assert len({product.category_path for product in CONTENT.products}) >= 9
    assert {len(product.category_path) for product in CONTENT.products} == {3}
    statuses = {product.status for product in CONTENT.products}
    assert statuses == set(ProductStatus) - {ProductStatus.UNLISTED}


def test_the_category_tree_has_three_levels_and_every_leaf_sells_something() -> None:
    assert {len(path) for path in PATHS.values()} == {1, 2, 3}
    assert {product.category_path for product in CONTENT.products} == LEAVES.keys()
    parents = {category.parent for category in CONTENT.categories}
    assert parents.isdisjoint(LEAVES.values())
    assert {slug for slug in PATHS if slug not in parents} == set(LEAVES.values())


def test_children_of_a_category_are_numbered_from_one() -> None:
    places = Counter(category.parent for category in CONTENT.categories)
    for parent, children in places.items():
        positions = [category.position for category in CONTENT.categories if category.parent == parent]
        assert positions == list(range(1, children + 1))


@pytest.mark.parametrize("product", CONTENT.products, ids=lambda product: product.slug)
def test_a_product_is_described_in_chinese_and_english(product: ProductDraft) -> None:
    chinese = (product.title, product.description)
    translation = product.translations["en"]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in chinese)
    assert all(text.isascii() or "°" in text for text in translation.values())
    assert all(clean_html(text) == text for text in (product.description, translation["description"]))
    assert product.brand
    assert product.tags


def test_every_variant_has_a_sku_a_weight_both_prices_and_both_warehouses() -> None:
    for variant in VARIANTS:
        assert variant.sku
        assert (variant.weight_grams > 0) is variant.requires_shipping
        assert variant.prices.keys() == {CurrencyCode.CNY, CurrencyCode.USD}
        assert all(price.amount.minor > 0 for price in variant.prices.values())
        assert variant.stock.keys() == {"SHA", "SZX"}
    assert all(1 <= len(product.variants) <= 6 for product in CONTENT.products)


def test_some_variants_are_sold_out_some_are_low_and_some_are_on_promotion() -> None:
    assert sum(stock_of(variant) == 0 for variant in VARIANTS) >= 5
    assert sum(0 < stock_of(variant) <= 5 for variant in VARIANTS) >= 5
    assert sum(any(price.compare_at for price in variant.prices.values()) for variant in VARIANTS) >= 10


def test_some_variants_are_not_sent_and_one_sells_what_is_not_there() -> None:
    assert [variant.sku for variant in VARIANTS if not variant.requires_shipping] == [
        "VOU-TEA-100",
        "VOU-TEA-300",
    ]
    assert [variant.sku for variant in VARIANTS if variant.sells_when_out] == ["HOM-FLR-150"]


def test_categories_have_terms_of_claims_of_their_own() -> None:
    terms = [
        (each.category, each.exclusion, dict(each.windows), each.refused_reasons)
        for each in CONTENT.claim_policies
    ]
    assert terms == [
        ("skin-care", ClaimExclusion.OPENED_HYGIENE, {}, None),
        ("audio", None, {TicketReason.QUALITY_FAULT: 365}, None),
        ("food-tea", None, {}, (TicketReason.FAULT_IN_USE,)),
    ]


def test_most_variants_have_a_barcode_and_every_one_is_valid() -> None:
    barcodes = [variant.barcode for variant in VARIANTS if variant.barcode]
    assert len(barcodes) > len(VARIANTS) * 0.9
    assert all(is_ean13(barcode) for barcode in barcodes)


def test_an_ean_13_has_the_right_check_digit() -> None:
    assert is_ean13("4006381333931")
    assert not is_ean13("4006381333932")
    assert not is_ean13("400638133393")
    assert not is_ean13("400638133393X")


def test_there_are_several_teas_and_jackets() -> None:
    assert sum("茶" in product.title for product in CONTENT.products) >= 8
    assert sum("乌龙茶" in product.title for product in CONTENT.products) >= 3
    assert sum("oolong tea" in english_title(product).lower() for product in CONTENT.products) >= 3
    assert sum("jacket" in english_title(product).lower() for product in CONTENT.products) >= 5


def test_every_option_has_an_english_translation() -> None:
    used = {word for variant in VARIANTS for option in variant.options for word in option}
    assert used == OPTION_TRANSLATIONS.keys()
    assert all(word.isascii() for word in OPTION_TRANSLATIONS.values())


def test_attributes_come_in_every_type_and_are_inherited() -> None:
    assert len(CONTENT.attributes) >= 12
    assert len({attribute.type for attribute in CONTENT.attributes}) == 5
    codes = {
        slug: [attribute.code for attribute in attributes]
        for slug, attributes in attributes_by_category(CONTENT).items()
    }
    assert codes["food-tea"] == ["origin", "shelf_life", "organic"]
    assert codes["oolong-tea"] == ["origin", "shelf_life", "organic", "harvest_date"]
    used = {code for product in CONTENT.products for code in product.attributes}
    assert used == {attribute.code for attribute in CONTENT.attributes}


def test_articles_are_of_readable_length_in_chinese_and_english() -> None:
    languages = Counter(article.language for article in CONTENT.articles)
    assert languages.keys() == {"zh-CN", "en"}
    assert languages["zh-CN"] >= 32
    assert languages["en"] >= 32
    by_slug = {article.slug: article for article in CONTENT.articles}
    translated = [article for article in CONTENT.articles if article.translates]
    assert len(translated) == 32
    for article in translated:
        original = by_slug[article.translates or ""]
        assert {article.language, original.language} == {"zh-CN", "en"}
        assert article.category == original.category
    for article in CONTENT.articles:
        assert 80 <= count_words(article.body) <= 250, article.slug
        assert article.tags


@pytest.mark.parametrize(
    ("slug", "promise"),
    [
        ("seven-day-returns", "**7 天**内，商品完好"),
        ("seven-day-returns", "请在 **7 天**内寄出"),
        ("seven-day-returns", "寄出满 **10 天**仍未验收"),
        ("quality-fault", "签收后 **15 天**内发现质量问题"),
        ("quality-fault", "客服 **2 天**内没有回复"),
        ("unpaid-orders-close", "**30 分钟**后自动关闭，秒杀订单为 **10 分钟**"),
        ("confirming-receipt", "签收满 **10 天**后自动确认"),
        ("returning-goods", "within **15 days** when something is wrong"),
        ("quality-fault", "影音商品为 **365 天**"),
        ("faulty-goods", "audio goods have **365 days**"),
        ("collecting-an-order", "为您保留 **7 天**"),
        ("pick-up-at-a-warehouse", "We keep it for **7 days**"),
        ("exchanging-goods", "**30 天**还没有到货的"),
        ("exchange-for-another-size", "nothing has come in within **30 days**"),
        ("delivered-but-not-received", "签收满 **1 天**以后"),
        ("shipping-fees", "满 **59 元**就有包邮优惠，最多减免 **12 元**"),
        ("flash-sales", "**10 分钟**内付款"),
        ("how-flash-sales-work", "within **10 minutes**; other orders have 30"),
    ],
)
def test_articles_promise_the_durations_of_the_settings(slug: str, promise: str) -> None:
    [article] = [article for article in CONTENT.articles if article.slug == slug]
    assert promise in article.body


def test_codes_named_in_articles_are_coupons() -> None:
    bodies = "".join(article.body for article in CONTENT.articles)
    named = {code for code in bodies.split("`") if code.isascii() and code.isalnum()}
    assert named == {"WELCOME10", "MANJIAN299"}
    assert named < {promotion.code for promotion in CONTENT.promotions}


def test_four_customers_have_two_addresses_each_and_valid_phone_numbers() -> None:
    assert len(CONTENT.customers) == 4
    for customer in CONTENT.customers:
        assert len(customer.addresses) == 2
        assert customer.email.endswith("@example.com")
        for phone in (customer.phone, *(address.phone for address in customer.addresses)):
            number = phonenumbers.parse(phone)
            assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == phone
            assert (number.country_code, phonenumbers.is_valid_number(number)) == (86, True)
        for address in customer.addresses:
            assert (address.country_code, len(address.postal_code)) == ("CN", 6)


def test_every_staff_role_has_an_account_named_after_it_and_a_second_courier_drives() -> None:
    addresses = {person.email: person.role for person in CONTENT.staff}
    assert addresses == {f"{role.lower()}@example.com": role for role in STAFF} | {
        "rider@example.com": Role.COURIER
    }


def test_who_is_given_tickets_writes_to_customers_in_both_languages_and_one_is_away() -> None:
    agents = [(each.email.partition("@")[0], each.language, each.away) for each in CONTENT.ticket_agents]
    assert agents == [("support", "zh", False), ("manager", "en", False), ("admin", "zh", True)]


def test_the_warehouses_are_in_shanghai_and_shenzhen() -> None:
    places = [
        (place.code, place.city, round(place.latitude), round(place.longitude))
        for place in CONTENT.warehouses
    ]
    assert places == [("SHA", "上海市", 31, 121), ("SZX", "深圳市", 23, 114)]


def test_orders_are_collected_in_shanghai_on_six_days() -> None:
    shanghai, shenzhen = CONTENT.warehouses
    assert (shanghai.allows_pickup, shenzhen.allows_pickup) == (True, False)
    assert [hours.weekday for hours in shanghai.pickup_hours] == list(Weekday)[:6]
    assert "取货码" in shanghai.pickup_instructions
    assert "Show your code" in shanghai.pickup_instructions


def test_there_is_a_promotion_of_every_kind() -> None:
    assert {promotion.kind for promotion in CONTENT.promotions} == set(PromotionKind)


def test_coupons_take_a_percentage_or_an_amount() -> None:
    promotions = {
        promotion.code: (promotion.percent, promotion.amount, promotion.minimum)
        for promotion in CONTENT.promotions
    }
    cny = CurrencyCode.CNY
    assert promotions["WELCOME10"] == (10, None, Money(9900, cny))
    assert promotions["MANJIAN299"] == (None, Money(3000, cny), Money(29900, cny))


def test_a_dozen_tickets_cover_every_type_and_reason() -> None:
    assert len(CONTENT.tickets) >= 12
    assert {ticket.type for ticket in CONTENT.tickets} == set(TicketType)
    assert {ticket.reason for ticket in CONTENT.tickets} == set(TicketReason)


@pytest.mark.parametrize("product", CONTENT.products, ids=lambda product: product.slug)
def test_a_product_has_two_pictures_that_are_safe_svg(product: ProductDraft) -> None:
    assert [shown.url for shown in product.pictures] == [
        f"/media/demo/{product.slug}-1.svg",
        f"/media/demo/{product.slug}-2.svg",
    ]
    category = LEAVES[product.category_path]
    drawn = [draw_picture(product.slug, product.title, category=category, index=index) for index in (0, 1)]
    assert drawn[0] != drawn[1]
    assert drawn[0] == draw_picture(product.slug, product.title, category=category)
    for svg in drawn:
        root = parse_svg(svg)
        assert root.get("viewBox") == "0 0 600 600"
        assert root.findtext(f"{SVG}title") == product.title
        assert_harmless(root)


def assert_harmless(root: ET.Element) -> None:
    drawing = {"svg", "title", "g", "path", "circle", "ellipse", "rect", "text"}
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in drawing
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert not name.endswith(("href", "style"))
            assert "url(" not in value
            assert ":" not in value
            assert "$" not in value


def test_every_leaf_category_has_a_motif_and_an_unknown_one_shows_a_parcel() -> None:
    assert MOTIF_OF_CATEGORY.keys() == set(LEAVES.values())
    assert len(set(MOTIF_OF_CATEGORY.values())) >= 9
    parse_svg(draw_picture("unheard-of", "新品", category="unheard-of"))


def test_a_title_cannot_inject_markup_into_its_picture() -> None:
    title = '<script>alert("1")</script> & more'
    root = parse_svg(draw_picture("mug", title, category="drinkware"))
    assert root.findtext(f"{SVG}title") == title
    assert_harmless(root)


BROKEN = {
    "slug given twice": (
        change_first_product(lambda product: replace(product, slug=CONTENT.products[1].slug)),
        "product .* is given twice",
    ),
    "sku given twice": (
        change_first_variant(lambda variant: replace(variant, sku=VARIANTS[-1].sku)),
        "SKU .* is given twice",
    ),
    "barcode given twice": (
        change_first_variant(lambda variant: replace(variant, barcode=VARIANTS[-1].barcode)),
        "barcode .* is given twice",
    ),
    "barcode mistyped": (
        change_first_variant(lambda variant: replace(variant, barcode="4006381333932")),
        "4006381333932 is not an EAN-13",
    ),
    "no dollar price": (
        change_first_variant(
            lambda variant: replace(variant, prices={CurrencyCode.CNY: variant.prices[CurrencyCode.CNY]})
        ),
        "no price in USD",
    ),
    "promotion that is none": (
        change_first_variant(
            lambda variant: replace(
                variant,
                prices={
                    currency: PriceDraft(price.amount, price.amount)
                    for currency, price in variant.prices.items()
                },
            )
        ),
        "before is no more than",
    ),
    "unknown warehouse": (
        change_first_variant(lambda variant: replace(variant, stock={"SHA": 1, "PEK": 1})),
        "stock is not given for exactly the warehouses",
    ),
    "option without English": (
        change_first_variant(lambda variant: replace(variant, options=(("气味", "玫瑰"),))),
        "the option 气味 has no English",
    ),
    "unknown attribute": (
        change_first_product(
            lambda product: replace(product, attributes={**product.attributes, "taste": ("x",)})
        ),
        "its category has no attribute taste",
    ),
    "required attribute missing": (
        change_first_product(lambda product: replace(product, attributes={})),
        "the required attribute skin_type is missing",
    ),
    "value not allowed": (
        change_first_product(lambda product: replace(product, attributes={"skin_type": ("scaly",)})),
        "skin_type cannot be scaly",
    ),
    "no leaf": (
        change_first_product(lambda product: replace(product, category_path=("美妆个护",))),
        "is not a leaf category",
    ),
    "no English": (
        change_first_product(lambda product: replace(product, translations={})),
        "a title or a description is missing",
    ),
    "ticket about nothing": (
        replace(CONTENT, tickets=(replace(CONTENT.tickets[0], sku="GONE"),)),
        "GONE, which is not sold",
    ),
    "terms of nothing": (
        replace(CONTENT, claim_policies=(replace(CONTENT.claim_policies[0], category="gone"),)),
        "there is no category gone",
    ),
    "flash sale of nothing": (
        replace(CONTENT, promotions=(replace(CONTENT.promotions[0], sku="GONE"),)),
        "GONE is not sold",
    ),
}


@pytest.mark.parametrize(("content", "complaint"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_content_is_refused_by_name(content: Content, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_content(content, option_translations=OPTION_TRANSLATIONS)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "(?s)SHA: .*colour"),
        ({"latitude": "north"}, "(?s)SHA: .*latitude"),
        ({"city": None}, "(?s)SHA: .*city"),
    ],
)
def test_a_misspelt_key_or_a_wrong_type_is_refused_by_name(change: dict[str, object], complaint: str) -> None:
    table = next(read_tables("warehouses.toml", "warehouses"))
    assert parse_rows(WarehouseContent, [table]) == CONTENT.warehouses[:1]
    with pytest.raises(ValueError, match=complaint):
        parse_rows(WarehouseContent, [table | change])
