"""One slip is forgiven, wherever it is."""

import pytest

from words.slips import forgivable, near, near_beginning, remains


@pytest.mark.parametrize("slip", ["jackt", "jackeet", "jackte", "jacker", "kacket", "acket", "jackets"])
def test_a_word_with_one_slip_shares_what_remains_and_is_near(slip: str) -> None:
    assert remains(slip) & remains("jacket")
    assert near(slip, ["jacket", "rocket"]) == ["jacket"]


def test_two_slips_are_too_many() -> None:
    assert near("jakcte", ["jacket"]) == []


def test_the_beginning_of_a_word_may_hold_a_slip() -> None:
    assert near_beginning("jakc", ["jacket", "jar"]) == ["jacket"]


def test_short_words_numbers_and_chinese_are_taken_as_they_stand() -> None:
    assert [word for word in ("tea", "teas", "4000", "ab12", "乌龙茶叶", "x" * 25) if forgivable(word)] == [
        "teas"
    ]
