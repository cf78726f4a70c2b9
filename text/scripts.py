"""Scripts of letters, and words that mix them (Unicode Technical Standard 39, 5.2: highly restrictive)."""

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W\d_]+")

WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Scripts that Japanese, Chinese and Korean write within one word."""
IDEOGRAPHS = frozenset({"IDEOGRAPHIC", "KANGXI"})
NO_SCRIPT = frozenset({"", "MODIFIER", "FEMININE", "MASCULINE", "MICRO"})
"""First words of the names of letters that belong to several scripts."""


def mixes_scripts(text: str) -> bool:
    """Whether a word of the text has letters of scripts that nobody writes within one word."""
    return not text.isascii() and any(map(is_mixed, WORD.findall(text)))


def is_mixed(word: str) -> bool:
    scripts = {script for script in map(script_of, word) if script}
    return len(scripts) > 1 and not any(scripts <= together for together in WRITTEN_TOGETHER)


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str:
    """The script of a letter, by the first word of its name; "" for a letter of several scripts."""
    first = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    if first in NO_SCRIPT:
        return ""
    return "CJK" if first in IDEOGRAPHS else first
