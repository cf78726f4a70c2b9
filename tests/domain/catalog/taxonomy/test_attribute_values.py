"""Parsing and formatting attribute values."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.taxonomy import WrongValue
from domain.catalog.taxonomy.units import compatible_units, conversion_factor
from domain.catalog.taxonomy.values import (
    NUMBER_DECIMALS,
    NUMBER_LIMIT,
    TEXT_LIMIT,
    AttributeDefinition,
    Choice,
    Value,
    definition_of,
    format_value,
    parse_value,
)
from domain.errors import ErrorCode
from models import Attribute, AttributeType, AttributeValue

RED = Choice(1, "red", ("红色", "Red"))
NAVY = Choice(2, "navy", ("深蓝色", "Navy blue"))
MIDNIGHT = Choice(3, "midnight", ("深蓝色", "Midnight"))
COLOUR = AttributeDefinition("colour", "颜色", AttributeType.ENUM, choices=(RED, NAVY, MIDNIGHT))
WEIGHT = AttributeDefinition("weight", "Weight", AttributeType.NUMBER, units=("克", "g"))
LENGTH = AttributeDefinition("length", "Length", AttributeType.NUMBER, units=("cm",))
SHELF_LIFE = AttributeDefinition("shelf_life", "保质期", AttributeType.NUMBER, units=("个月", "months"))
PIECES = AttributeDefinition("pieces", "Pieces", AttributeType.NUMBER)
ORGANIC = AttributeDefinition("organic", "Organic", AttributeType.BOOLEAN)
HARVESTED = AttributeDefinition("harvested", "Harvested on", AttributeType.DATE)
CONTENT = AttributeDefinition("content", "Ingredients", AttributeType.TEXT)
ALL = (COLOUR, WEIGHT, LENGTH, SHELF_LIFE, PIECES, ORGANIC, HARVESTED, CONTENT)


def refusal_of(attribute: AttributeDefinition, text: str) -> str:
    with pytest.raises(WrongValue) as wrong:
        parse_value(attribute, text)
    assert wrong.value.code is ErrorCode.INVALID
    assert wrong.value.attribute == attribute.code
    assert wrong.value.value.strip() == text.strip()
    assert str(wrong.value.allowed) in str(wrong.value)
    return str(wrong.value)


@pytest.mark.parametrize("text", ["red", "RED", " Red ", "红色", "Ｒｅｄ"])
def test_a_value_can_be_given_by_its_code_or_its_name_in_any_language(text: str) -> None:
    assert parse_value(COLOUR, text) == RED


def test_a_refusal_lists_the_values_that_are_allowed() -> None:
    assert refusal_of(COLOUR, "purple") == '颜色 (colour) cannot be "purple"; allowed: red, navy, midnight.'


def test_a_name_of_two_values_is_refused_with_their_codes() -> None:
    assert refusal_of(COLOUR, "深蓝色") == (
        '颜色 (colour) cannot be "深蓝色", which means navy or midnight; allowed: red, navy, midnight.'
    )


def test_a_code_is_not_mistaken_for_the_name_of_another_value() -> None:
    one, other = Choice(1, "one", ("two",)), Choice(2, "two", ("three",))
    numbers = AttributeDefinition("numbers", "Numbers", AttributeType.ENUM, choices=(one, other))

    assert parse_value(numbers, "two") == other


def test_a_refusal_lists_ten_values_and_counts_the_rest() -> None:
    countries = tuple(Choice(number, f"c{number}", ()) for number in range(238))
    country = AttributeDefinition("country", "Country", AttributeType.ENUM, choices=countries)

    assert refusal_of(country, "Atlantis").endswith(
        "allowed: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 228 more."
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("12.50", "12.5"),
        ("-18", "-18"),
        ("−18", "-18"),
        ("+7", "7"),
        (".5", "0.5"),
        ("0,500", "0.5"),
        ("12,5", "12.5"),
        ("1.234", "1.234"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1 234,5", "1234.5"),
        ("1\u202f234\u202f567", "1234567"),
        ("1'234.5", "1234.5"),
        ("1’234’567", "1234567"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("１２．５", "12.5"),
        ("１２，５", "12.5"),
    ],
)
def test_a_number_may_be_written_in_the_notation_of_any_country(text: str, number: str) -> None:
    assert parse_value(PIECES, text) == Decimal(number)


def test_an_ambiguous_number_is_refused_with_both_meanings() -> None:
    assert refusal_of(PIECES, "1,234") == (
        'Pieces (pieces) cannot be "1,234", which may mean 1.234 or 1234; allowed: '
        "a number below 1,000,000,000 with at most 6 decimals, without a unit."
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "many",
        "1e3",
        "NaN",
        "Infinity",
        "1/2",
        "5-10",
        "12,34,567",
        "1,23.4",
        "1..2",
        "--1",
        "5²",
        "٣",
        "1 23",
    ],
)
def test_a_text_that_is_not_a_number_is_refused(text: str) -> None:
    refusal_of(PIECES, text)


@pytest.mark.parametrize("text", ["999999999.999999", "-999999999.999999", "0.000001", "0"])
def test_numbers_of_fifteen_digits_are_kept_exactly(text: str) -> None:
    assert parse_value(PIECES, text) == Decimal(text)


@pytest.mark.parametrize("text", ["1000000000", "-1000000000", "0.0000001", "9" * 2_000, "0." + "1" * 1_900])
def test_larger_and_finer_numbers_are_refused(text: str) -> None:
    refusal_of(PIECES, text)


@pytest.mark.parametrize(
    ("attribute", "text", "number"),
    [
        (WEIGHT, "500", "500"),
        (WEIGHT, "500 g", "500"),
        (WEIGHT, "500克", "500"),
        (WEIGHT, "1.5 KG", "1500"),
        (WEIGHT, "1,5千克", "1500"),
        (WEIGHT, "2 斤", "1000"),
        (WEIGHT, "1 lb", "453.59237"),
        (WEIGHT, "250 mg", "0.25"),
        (LENGTH, "1.2 m", "120"),
        (LENGTH, "35 毫米", "3.5"),
        (LENGTH, '10 "', "25.4"),
        (LENGTH, "6 ft", "182.88"),
        (SHELF_LIFE, "18 个月", "18"),
        (SHELF_LIFE, "18 months", "18"),
    ],
)
def test_a_number_may_be_in_any_unit_that_measures_the_same(
    attribute: AttributeDefinition, text: str, number: str
) -> None:
    assert parse_value(attribute, text) == Decimal(number)


@pytest.mark.parametrize(
    ("unit", "other", "factor"),
    [
        ("kW", "瓦", "1000"),
        ("L", "毫升", "1000"),
        ("fl. oz", "ml", "29.5735295625"),
        ("m²", "cm2", "10000"),
        ("h", "min", "60"),
        ("Ah", "mAh", "1000"),
        ("GHz", "MHz", "1000"),
        ("个月", "个月", "1"),
    ],
)
def test_units_convert_exactly_within_their_kind(unit: str, other: str, factor: str) -> None:
    assert conversion_factor(unit, other) == Decimal(factor)


@pytest.mark.parametrize(("unit", "other"), [("kg", "cm"), ("天", "个月"), ("parsec", "m"), ("", "m")])
def test_units_of_different_kinds_do_not_convert(unit: str, other: str) -> None:
    assert conversion_factor(unit, other) is None


def test_a_unit_of_another_kind_is_refused_with_those_that_measure_the_same() -> None:
    assert refusal_of(WEIGHT, "5 cm") == (
        'Weight (weight) cannot be "5 cm"; allowed: a number below 1,000,000,000 with at most 6 decimals, '
        "in 克, mg, kg, t, oz, lb, 斤, 两."
    )
    assert compatible_units("个月") == ["个月"]
    assert "in 个月." in refusal_of(SHELF_LIFE, "2 年")


def test_an_attribute_without_a_unit_refuses_units() -> None:
    assert "without a unit" in refusal_of(PIECES, "5 kg")


def test_only_conversion_rounds_and_never_to_zero() -> None:
    assert parse_value(LENGTH, "0.123456 mm") == Decimal("0.012346")
    refusal_of(LENGTH, "0.1234567 cm")
    refusal_of(LENGTH, "0.000001 mm")
    refusal_of(LENGTH, "99999999999 km")


@pytest.mark.parametrize("text", ["true", "TRUE", "yes", "1", "是", " Yes "])
def test_true_can_be_written_in_many_ways(text: str) -> None:
    assert parse_value(ORGANIC, text) is True


@pytest.mark.parametrize("text", ["false", "No", "0", "否"])
def test_false_can_be_written_in_many_ways(text: str) -> None:
    assert parse_value(ORGANIC, text) is False


def test_another_answer_than_yes_or_no_is_refused() -> None:
    assert refusal_of(ORGANIC, "maybe") == 'Organic (organic) cannot be "maybe"; allowed: true or false.'


def test_a_day_is_written_with_year_month_and_day() -> None:
    assert parse_value(HARVESTED, "2024-02-29") == date(2024, 2, 29)
    assert refusal_of(HARVESTED, "2023-02-29") == (
        'Harvested on (harvested) cannot be "2023-02-29"; allowed: a date such as 2026-03-01.'
    )


@pytest.mark.parametrize(
    "text", ["20240229", "2024-W09-4", "29.02.2024", "2024-2-29", "２０２４-02-29", "2024-02-29T00:00"]
)
def test_other_ways_to_write_a_day_are_refused(text: str) -> None:
    refusal_of(HARVESTED, text)


def test_a_text_is_kept_but_for_blanks_around_it() -> None:
    assert parse_value(CONTENT, " 小麦粉，\r\n白砂糖\tE330 ") == "小麦粉，\n白砂糖\tE330"


@pytest.mark.parametrize("text", ["a\0b", "a\x1bb", "a\ud800b"])
def test_a_text_with_characters_that_cannot_be_stored_is_refused(text: str) -> None:
    message = refusal_of(CONTENT, text)

    assert "which holds characters that cannot be shown" in message
    assert message.isprintable()


@pytest.mark.parametrize("attribute", ALL, ids=lambda attribute: attribute.code)
def test_blank_and_overlong_texts_are_refused(attribute: AttributeDefinition) -> None:
    refusal_of(attribute, "  ")
    assert f"which has {TEXT_LIMIT + 1:,} characters" in refusal_of(attribute, "x" * (TEXT_LIMIT + 1))


def test_a_text_may_be_as_long_as_the_limit() -> None:
    assert parse_value(CONTENT, "x" * TEXT_LIMIT) == "x" * TEXT_LIMIT


def test_a_definition_is_made_of_the_rows() -> None:
    weight = Attribute(
        code="weight",
        name="重量",
        type=AttributeType.NUMBER,
        unit="克",
        translations={"en": {"name": "Weight", "unit": "g"}},
    )
    colour = Attribute(code="colour", name="颜色", type=AttributeType.ENUM, unit=None, translations={})
    red = AttributeValue(id=1, code="red", name="红色", translations={"en": {"name": "Red"}})

    assert definition_of(weight) == AttributeDefinition(
        "weight", "重量", AttributeType.NUMBER, units=("克", "g")
    )
    assert definition_of(colour, [red]) == AttributeDefinition(
        "colour", "颜色", AttributeType.ENUM, choices=(RED,)
    )


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        (COLOUR, RED, "red"),
        (WEIGHT, Decimal("1500.000000"), "1500 克"),
        (WEIGHT, Decimal("1E+3"), "1000 克"),
        (PIECES, Decimal("0.250"), "0.25"),
        (PIECES, Decimal("-0.0"), "0"),
        (ORGANIC, False, "false"),
        (HARVESTED, date(2026, 3, 1), "2026-03-01"),
        (CONTENT, "小麦粉", "小麦粉"),
    ],
)
def test_every_value_has_one_canonical_text(attribute: AttributeDefinition, value: Value, text: str) -> None:
    assert format_value(attribute, value) == text


NUMBERS = st.decimals(
    min_value=1 - NUMBER_LIMIT, max_value=NUMBER_LIMIT - 1, places=NUMBER_DECIMALS, allow_nan=False
)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=50)
VALUES = st.one_of(
    st.tuples(st.just(COLOUR), st.sampled_from(COLOUR.choices)),
    st.tuples(st.sampled_from([WEIGHT, LENGTH, SHELF_LIFE, PIECES]), NUMBERS),
    st.tuples(st.just(ORGANIC), st.booleans()),
    st.tuples(st.just(HARVESTED), st.dates()),
    st.tuples(st.just(CONTENT), TEXTS.map(str.strip).filter(bool)),
)


@given(VALUES)
def test_a_formatted_value_is_parsed_to_the_same_value(pair: tuple[AttributeDefinition, Value]) -> None:
    attribute, value = pair

    assert parse_value(attribute, format_value(attribute, value)) == value


@given(st.sampled_from(ALL), st.text(max_size=40))
def test_any_text_is_either_a_value_or_refused_by_name(attribute: AttributeDefinition, text: str) -> None:
    value: Value | None = None
    with suppress(WrongValue):
        value = parse_value(attribute, text)
    if value is None:
        assert attribute.name in refusal_of(attribute, text)
    else:
        assert parse_value(attribute, format_value(attribute, value)) == value
