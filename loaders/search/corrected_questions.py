"""Questions as they were meant: typing errors corrected, pinyin written in Chinese."""

import asyncio
from collections.abc import Mapping, Sequence

from gateways.search import SearchIndex
from text.pinyin import PINYIN_LETTERS, pinyin_mark
from text.question import (
    QUESTION_STOP_WORDS,
    closest_word,
    neighbour_words,
    question_words,
    replace_words,
    subject_mark,
)
from text.stemmer import word_forms
from text.typo_tolerance import SHORTEST, tolerates_typo

MISTYPED_LIMIT = 4
"""Words of a question that are corrected: with more of them it is of another language."""

LOOKED_UP_LIMIT = 24
"""The same of all questions that are asked at once: each takes a look-up of its own."""

CLOSE_LIMIT = 8
"""Words one typing error away of which one is chosen."""

WRITTEN_LIMIT = 3
"""Chinese words with one pinyin, of which the most frequent is meant."""


async def correct_questions(index: SearchIndex, texts: Sequence[str]) -> list[str]:
    """Each question with its typing errors corrected and its pinyin in Chinese, as far as articles go."""
    words = [question_words(text) for text in texts]
    pairs = [neighbour_words(text) for text in texts]
    asked = {word for some in words for word in some if len(word) >= SHORTEST} - QUESTION_STOP_WORDS
    joined = {word for some in pairs for word in some if len(word) >= PINYIN_LETTERS}
    if not asked and not joined:
        return list(texts)
    forms = {form for word in asked for form in word_forms(word)}
    known = await index.frequencies(forms | joined | {pinyin_mark(word) for word in asked | joined})
    doubtful = dict.fromkeys(
        word
        for some, two in zip(words, pairs, strict=True)
        for word in [
            *(each for each in two if each in joined and pinyin_mark(each) in known),
            *(each for each in some if each in asked and is_doubtful(each, known)),
        ][:MISTYPED_LIMIT]
    )
    unfinished = {some[-1] for some in words if some}
    found = await asyncio.gather(
        *(
            find_meant(index, word, known, is_unfinished=word in unfinished)
            for word in list(doubtful)[:LOOKED_UP_LIMIT]
        )
    )
    meant = {word: each for word, each in zip(doubtful, found, strict=False) if each}
    return [replace_words(text, meant) if meant else text for text in texts]


def is_doubtful(word: str, known: Mapping[str, int]) -> bool:
    """Whether a word is pinyin, or no article has it."""
    return pinyin_mark(word) in known or (
        tolerates_typo(word) and not any(form in known for form in word_forms(word))
    )


async def find_meant(
    index: SearchIndex, word: str, known: Mapping[str, int], *, is_unfinished: bool
) -> str | None:
    """What a doubtful word stands for; None where articles have nothing like it."""
    mark = pinyin_mark(word)
    if mark in known:
        written = await write_pinyin(index, word)
        is_else_known = known.get(word, 0) > known[mark]
        return f"{word} {written}" if written and is_else_known else written
    if is_unfinished and (longer := await index.completions(word, limit=1)):
        return await write_pinyin(index, longer[0][0])
    return await correct_word(index, word)


async def correct_word(index: SearchIndex, word: str) -> str | None:
    """The word that was meant: one that articles are about, for one of some sentence is seldom it."""
    close = {each: subject_marks(each) for each, _ in await index.corrections(word, limit=CLOSE_LIMIT)}
    known = await index.frequencies(set().union(*close.values())) if close else {}
    meant = closest_word(word, [each for each, marks in close.items() if not marks.isdisjoint(known)])
    if meant is None or pinyin_mark(meant) not in known:
        return meant
    return await write_pinyin(index, meant)


def subject_marks(word: str) -> set[str]:
    """What an index has where articles are about a word, or about the Chinese word with this pinyin."""
    return {pinyin_mark(word), *(subject_mark(form) for form in word_forms(word))}


async def write_pinyin(index: SearchIndex, word: str) -> str | None:
    """The Chinese word with this pinyin that most articles have."""
    mark = pinyin_mark(word)
    found = await index.completions(mark, limit=WRITTEN_LIMIT)
    written = (each.removeprefix(mark) for each, _ in found)
    return next((each for each in written if each not in QUESTION_STOP_WORDS), None)
