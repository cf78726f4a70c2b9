"""Chinese words as they are typed on a Latin keyboard: 龙井 is longjing, or lj for short."""

from functools import cache, lru_cache
from typing import Any

WORDS_KEPT = 20_000


@lru_cache(WORDS_KEPT)
def spelled(word: str) -> tuple[str, ...]:
    """The sound of a word and, where it has several characters, their initials; empty when unknown."""
    sounds: list[str] = _pypinyin().lazy_pinyin(word, errors="ignore")
    if len(sounds) != len(word):
        return ()
    whole = "".join(sounds)
    return (whole, "".join(sound[0] for sound in sounds)) if len(sounds) > 1 else (whole,)


@cache
def _pypinyin() -> Any:
    """Its dictionaries take most of a second: only a process that indexes pays for them."""
    import pypinyin

    return pypinyin
