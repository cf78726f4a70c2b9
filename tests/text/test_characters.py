"""Texts have one spelling, and nothing in them that nobody can see."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text.characters import (
    INVISIBLE,
    MARKS_LIMIT,
    PLAIN,
    REFUSED,
    RefusedCharacter,
    TooManyMarks,
    clean_text,
    is_visible,
    normalize_password,
    normalize_text,
)
from text.scripts import mixes_scripts

NEEDED = {
    "a family": "👨\u200d👩\u200d👧\u200d👦",
    "an astronaut with a colour of skin": "🧑🏽\u200d🚀",
    "a rainbow flag": "🏳\ufe0f\u200d🌈",
    "a red heart": "❤\ufe0f",
    "a keycap": "1\ufe0f\u20e3",
    "the flag of England": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a Persian word": "می\u200cخواهم",
    "a Hindi conjunct that is not joined": "क\u094d\u200dष",
    "a Sinhala word": "ශ්\u200dරී",
    "a Bengali word": "র\u200d\u09cdযাম",
    "a Mongolian word": "ᠠᠮᠢᠳᠤᠷᠠᠯ\u180e\u1820",
}
REMOVED = {
    "zero width space": "tea\u200bpot",
    "byte order mark": "\ufefftea",
    "soft hyphen": "tea\u00adpot",
    "joiner between Latin letters": "tea\u200dpot",
    "non-joiner between Chinese characters": "茶\u200c壶",
    "word joiner": "tea\u2060pot",
    "variation selector of a letter": "tea\ufe0fpot",
    "variation selector of an ideograph": "茶\U000e0100",
    "letters of a tag without a flag": "tea\U000e0074\U000e0065\U000e0061",
    "filler of Hangul": "tea\u3164",
    "grapheme joiner": "te\u034fa",
    "joiner at the end": "tea\u200d",
}
REFUSED_TEXTS = {
    "right-to-left override": ("\u202egnp.exe", "U+202E RIGHT-TO-LEFT OVERRIDE"),
    "isolate": ("tea\u2066pot", "U+2066 LEFT-TO-RIGHT ISOLATE"),
    "mark of direction": ("tea\u200fpot", "U+200F RIGHT-TO-LEFT MARK"),
    "NUL": ("tea\x00", "U+0000"),
    "escape": ("tea\x1b[31m", "U+001B"),
    "C1 control": ("tea\x85", "U+0085"),
    "half of a character": ("tea\ud83d", "U+D83D"),
    "no character": ("tea\uffff", "U+FFFF"),
    "no character of another plane": ("tea\U0001fffe", "U+1FFFE"),
}


@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED)
def test_what_emoji_and_scripts_need_is_kept(text: str) -> None:
    assert normalize_text(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", REMOVED.values(), ids=REMOVED)
def test_other_invisible_characters_are_removed(text: str) -> None:
    assert normalize_text(text) == "".join(each for each in text if not INVISIBLE.match(each))


@pytest.mark.parametrize(("text", "name"), REFUSED_TEXTS.values(), ids=REFUSED_TEXTS)
def test_controls_and_what_changes_the_direction_are_refused_by_name(text: str, name: str) -> None:
    with pytest.raises(RefusedCharacter) as refused:
        normalize_text(text)

    assert refused.value.name == name


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t", "\u200b\u200b", "\u2800", "\u3164\u00a0", "\u0301", "\u200d\ufe0f"]
)
def test_a_text_of_nothing_visible_is_empty(text: str) -> None:
    assert normalize_text(text) == ""


def test_lines_end_in_one_way_and_tabs_are_kept() -> None:
    assert normalize_text("one\r\ntwo\rthree\u2028four\tfive\n") == "one\ntwo\nthree\nfour\tfive\n"


def test_a_character_carries_a_few_marks_and_not_ten_thousand() -> None:
    assert normalize_text("Việt Nam ở Hà Nội") == unicodedata.normalize("NFC", "Việt Nam ở Hà Nội")
    marks = "\u0316" * MARKS_LIMIT
    assert normalize_text(f"x{marks}") == f"x{marks}"
    for text in (f"x{marks}\u0316", "x" + "\u0301" * 10_000, "🙂" + "\u0489\U0001d167" * 3):
        with pytest.raises(TooManyMarks):
            normalize_text(text)


@given(st.text(st.characters(codec="utf-8")))
def test_a_text_that_was_taken_is_taken_again_as_it_is(text: str) -> None:
    cleaned = clean_text(text)

    assert normalize_text(cleaned) == clean_text(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not REFUSED.search(cleaned)
    assert cleaned == "" or any(map(is_visible, cleaned))


@given(
    st.text(
        st.sampled_from("ae\u0301\u200d\u200c\ufe0f\u200b❤🙂👩क\u094dم\u1820\u180b1\u20e3\u034f\u1100\u1161")
    )
)
def test_neighbours_of_invisible_characters_do_not_bring_them_back(text: str) -> None:
    once = clean_text(text)

    assert normalize_text(once) == once


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1))
def test_a_text_in_ascii_stays_as_it_is(text: str) -> None:
    assert normalize_text(text) == ("" if text.isspace() else text)


def test_passwords_are_only_normalized() -> None:
    assert normalize_password("cafe\u0301 \u3000tea") == "caf\u00e9  tea"
    for password in ("\u202etea\u200b pot", "\x1b[31m\ttea", "x" + "\u0316" * 50, " tea "):
        assert normalize_password(password) == password


@pytest.mark.parametrize(
    "text",
    ["mariya", "мария", "emma.мария", "张wei", "テスト茶tea", "한국茶", "ㄅㄆ茶", "naïve", "x2", "ﻓاطمة"],
)
def test_words_of_one_script_or_of_east_asia_mix_nothing(text: str) -> None:
    assert not mixes_scripts(text)


@pytest.mark.parametrize("text", ["pаypal", "ехample", "αpple", "раypal.shop", "テстト", "ㄅ한"])
def test_words_that_mix_scripts_are_found(text: str) -> None:
    assert mixes_scripts(text)


def test_plain_characters_are_those_that_are_never_changed() -> None:
    plain = [chr(code) for code in range(0x20, 0x10000) if PLAIN.fullmatch(chr(code))]

    assert len(plain) == 95 + 3 + 10 + 20_992 + 94
    for char in plain:
        around = f"字{char}é"  # the last one is not plain: such a text goes the long way
        assert clean_text(around) == around
        assert clean_text(char) == char.strip(" ")
