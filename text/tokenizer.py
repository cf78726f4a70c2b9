"""The tokenizer: cuts a text into runs of one script, and Chinese into words."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

import opencc
import rjieba

from text.measures import join_units

REMEMBERED_LENGTH, REMEMBERED_TEXTS = 200, 2_000
"""Characters up to which the runs of a text are remembered, and of how many texts."""

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_RUNS = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]+)")
_ASCII_WORD = re.compile("[a-z0-9]+")
_HAN_CHARACTER = re.compile(rf"[{_HAN}]")
_ACCENTS = re.compile("[\u0300-\u036f]")


def script_runs(text: str) -> Sequence[tuple[str, str]]:
    """The folded text in runs without blanks: pairs (Chinese, other), one of which is empty."""
    return remembered_runs(text) if len(text) <= REMEMBERED_LENGTH else find_runs(text)


def find_runs(text: str) -> Sequence[tuple[str, str]]:
    if text.isascii():
        # most texts of most shops, at half the cost
        return tuple(("", word) for word in _ASCII_WORD.findall(join_units(text.lower())))
    return tuple(_RUNS.findall(join_units(fold_text(text))))


remembered_runs = lru_cache(REMEMBERED_TEXTS)(find_runs)
"""The same, remembered: a title is read for its words, parts, pinyin and heads."""


def fold_text(text: str) -> str:
    """The text in lower case, without accents, full-width characters as ordinary ones, Chinese simplified."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).lower()
    folded = unicodedata.normalize("NFKC", _ACCENTS.sub("", decomposed))
    return _converter().convert(folded) if _HAN_CHARACTER.search(folded) else folded


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def segment_han(han: str, *, fine: bool) -> list[str]:
    """The words of a run of Chinese; `fine`: all words inside longer ones, too, but no single characters."""
    words = rjieba.cut_for_search(han) if fine else rjieba.cut(han)
    return [word for word in words if len(word) > 1 or not fine]
