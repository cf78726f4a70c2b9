"""Words: what is written and what is asked are cut the same way."""

import pytest

from words import WORDS_LIMIT, indexed, match, readable


def test_chinese_is_kept_as_words_and_as_single_characters() -> None:
    assert indexed(["高山乌龙茶"]) == "高山 乌龙 乌龙茶 高 山 乌 龙 茶"


def test_english_is_kept_as_written_and_as_its_stem() -> None:
    assert indexed(["Running JACKETS"]) == "running run jackets jacket"


def test_accents_widths_and_capitals_make_no_difference() -> None:
    assert indexed(["Café ＴＥＡ"]) == "cafe tea"


def test_kana_keep_their_marks() -> None:
    assert indexed(["ガラス"]) == "ガラス"


def test_codes_are_cut_at_their_hyphens() -> None:
    assert indexed(["AB-12_x"]) == "ab 12 x"


def test_of_an_endless_word_the_beginning_tells() -> None:
    assert indexed(["x" * 101, "!?", ""]) == "x" * 100


def test_no_thing_has_endless_words() -> None:
    assert len(indexed(["word " * WORDS_LIMIT])) == WORDS_LIMIT


def test_tags_are_not_read() -> None:
    assert readable("<p>Black&nbsp;<b>tea</b> &amp; milk</p>").split() == ["Black", "tea", "&", "milk"]


@pytest.mark.parametrize(
    ("asked", "fts5", "tsquery"),
    [
        ("", "", ""),
        ("!? %", "", ""),
        ('" OR * ()', '("or"*)', "(('or':*))"),
        ("'); DROP", '("drop"*)', "(('drop':*))"),
    ],
)
def test_nothing_but_words_reaches_the_database(asked: str, fts5: str, tsquery: str) -> None:
    assert match(asked, dialect="sqlite") == fts5
    assert match(asked, dialect="postgresql") == tsquery


def test_every_word_must_be_there_and_the_last_may_be_unfinished() -> None:
    assert match("jackets re", dialect="sqlite") == '("jackets" OR "jacket") AND ("re"*)'
    assert match("jackets re", dialect="postgresql") == "(('jackets') | ('jacket')) & (('re':*))"


def test_a_chinese_word_is_also_found_inside_another() -> None:
    assert match("乌龙茶", dialect="sqlite") == '("乌龙茶" OR "乌 龙 茶")'
    assert match("乌龙茶", dialect="postgresql") == "(('乌龙茶') | ('乌' <-> '龙' <-> '茶'))"
