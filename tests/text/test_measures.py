"""Measures have one spelling."""

import pytest

from text.measures import join_units


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("400 ml", "400ml"),
        ("400毫升", "400ml"),
        ("2 公斤装", "2kg 装"),
        ('17" wxga', "17inch   wxga"),
        ("13寸", "13inch"),
        ("6.7英寸", "6.7inch"),
        ('"iphone 11" case', '"iphone 11" case'),
        ("3 in 1", "3 in 1"),
        ("5克拉", "5克拉"),
        ("a 12 volt lamp", "a 12 volt lamp"),
        ("4 good reasons", "4 good reasons"),
        ("", ""),
    ],
)
def test_a_number_and_its_unit_are_one_word(text: str, joined: str) -> None:
    assert join_units(text).strip() == joined
