"""One typo in a word is tolerated."""

import pytest

from text.typo_tolerance import one_edit_away, prefix_one_edit_away, tolerates_typo


@pytest.mark.parametrize("typo", ["jackt", "jackeet", "jackte", "jacker", "kacket", "acket", "jackets"])
def test_a_word_with_one_typo_is_one_edit_away(typo: str) -> None:
    assert one_edit_away(typo, ["jacket", "rocket"]) == ["jacket"]


def test_two_typos_are_too_many() -> None:
    assert one_edit_away("jakcte", ["jacket"]) == []


def test_the_beginning_of_a_word_may_contain_a_typo() -> None:
    assert prefix_one_edit_away("jakc", ["jacket", "jar"]) == ["jacket"]


def test_short_and_endless_words_numbers_and_chinese_are_not_corrected() -> None:
    assert [
        word for word in ("tea", "teas", "4000", "ab12", "乌龙茶叶", "x" * 25) if tolerates_typo(word)
    ] == ["teas"]
