"""Chinese words as they are typed on a Latin keyboard."""

from text import normalize_code, pinyin_terms


def test_a_word_has_its_pinyin_and_its_initials() -> None:
    assert pinyin_terms(["龙井 tea"]) == ["longjing", "lj"]


def test_a_code_is_the_same_however_it_is_written() -> None:
    assert normalize_code("AB-12 x") == normalize_code("ab12X") == "ab12x"
