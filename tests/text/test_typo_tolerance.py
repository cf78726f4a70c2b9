"""One typo in a word is tolerated."""

import pytest
from rapidfuzz.distance import OSA

from text.typo_tolerance import one_edit_away, tolerates_typo


@pytest.mark.parametrize("typo", ["jackt", "jackeet", "jackte", "jacker", "kacket", "acket", "jackets"])
def test_a_word_with_one_typo_is_one_edit_away(typo: str) -> None:
    assert "jacket" in one_edit_away(typo)


def test_two_typos_are_too_many_and_none_is_none() -> None:
    assert "jacket" not in one_edit_away("jakcte")
    assert "jacket" not in one_edit_away("jacket")


def test_what_is_one_edit_away_is_all_of_it_and_nothing_else() -> None:
    found = one_edit_away("teas")

    assert {OSA.distance("teas", each) for each in found} == {1}
    assert len(found) == 4 + 3 + 4 * 35 + (5 * 36 - 4)


def test_short_and_endless_words_numbers_and_chinese_are_not_corrected() -> None:
    assert [
        word for word in ("tea", "teas", "4000", "ab12", "乌龙茶叶", "x" * 25) if tolerates_typo(word)
    ] == ["teas"]
