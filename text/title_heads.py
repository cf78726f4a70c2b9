"""What a title is about: "bag" of "Laptop bag for iPad", "壳" of "手机壳 适用于 Mate20"."""

import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from enum import Enum, auto
from itertools import takewhile

import rjieba

from text.analyzer import is_mixed, split_parts
from text.measures import LATIN
from text.stemmer import stem_word
from text.tokenizer import fold_text, script_runs, segment_han

HEADS_LIMIT = 40
"""Heads of one title."""

_CONTEXT_LIST = "for with without compatible fits to in from by via including includes w f"
CONTEXT = frozenset(_CONTEXT_LIST.split())
"""What follows one of these says what the thing is used with, not what it is."""
HAN_CONTEXT = re.compile("适用|兼容|适配|通用于|专用于|用于|支持")

JOINING = frozenset({"&", "/", "+", "and", "or"})
"""Words that these join are heads together, or not."""

_COLOUR_LIST = """
black white red blue green yellow orange purple violet pink brown grey gray silver gold beige navy cyan
magenta transparent clear multicolor multicolour
"""
COLOURS = frozenset(_COLOUR_LIST.split())
_PROMOTION_LIST = "包邮 正品 新款 现货 热卖 官方 同款 特价 促销 旗舰店 爆款 推荐 批发"
HAN_PROMOTION = frozenset(_PROMOTION_LIST.split())
"""What sellers add to any title, and buyers to any query."""

HAN_COLOUR = re.compile(r".{0,3}色")

UNITS = frozenset(
    (*LATIN, "inch", "in", "ft", "oz", "lb", "dpi", "ghz", "mp", "ppm", "pixels", "pc", "pcs", "x")
)
INCHES = frozenset('"”″“')

SPECIFICATIONS = 2
"""Measures in a title after which, where the thing has been named, only its parts and figures follow."""

ACRONYM_LENGTH = 4
"""Letters up to which a word in capitals is an acronym: the "USB" of "keyboard USB" is no noun after it."""

DESCRIBING = frozenset({"a", "ad", "b", "d", "m", "q", "r", "uj", "v", "z"})
"""Kinds of Chinese words that describe a thing; not of single characters, such as 包 and 盒."""

_HAN = re.compile("[\u3400-\u9fff]")
_TOKEN = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*|[^\w\s]")
_HYPHEN = re.compile(r"(?<=\w)[-‐‑](?=\w)")
_MEASURE = re.compile(rf"\d+(?:[.,]\d+)*(?:{'|'.join(sorted(UNITS, key=len, reverse=True))})")
_MARKS = re.compile("[™®©]")
_ASIDE = re.compile(r"\([^()]*\)")


class PartKind(Enum):
    """What a part of a title is."""

    WORD = auto()
    ACRONYM = auto()
    NUMBER = auto()
    """With letters, too."""
    DESCRIPTION = auto()
    """A colour, or another value of the product."""
    JOIN = auto()
    END = auto()
    """A sign or a measure: a noun phrase ends before it."""


def find_heads(title: str, *, brand: str = "", values: Collection[str] = ()) -> list[str]:
    """The words that a title is about, as stems.

    A word is one where nothing but numbers, acronyms, colours and others of `values` (folded words that
    describe the product) follow in its noun phrase. Of Chinese it is the last word of a run that does not
    describe, with the word before it where it is a single character; names in other letters are heads, too.
    """
    brands = {han or other for han, other in script_runs(brand)}
    if _HAN.search(title):
        before = HAN_CONTEXT.split(title, maxsplit=1)[0] or title
        excluded = {*brands, *values}
        names = [stem_word(other) for _, other in script_runs(before) if other and not _MEASURE.match(other)]
        nouns = [each for each in _han_heads(before) if not is_no_head(each)]
        models = [each for each in split_parts([before]) if each[0].isalpha() and is_mixed(each)]
        heads = [each for each in (*nouns, *names, *models) if each not in excluded]
    else:
        heads = list(_latin_heads(_tokens_before_context(title), brands, values))
    return list(dict.fromkeys(heads))[:HEADS_LIMIT]


def query_head(query: str) -> str:
    """The word that a query is about, folded: the last noun before "for" and the like; "" for none."""
    if _HAN.search(query):
        before = HAN_CONTEXT.split(query, maxsplit=1)[0] or query
        heads = [words[place] for words, place in _han_head_places(before)]
        return next((each for each in reversed(heads) if not is_no_head(each)), "")
    words = [fold_text(each) for each in _tokens_before_context(query)]
    nouns = [each for each in words if each.isalpha() and each not in COLOURS]
    names = [each for each in words if each.isalnum() and not each.isdigit() and not _MEASURE.fullmatch(each)]
    return (nouns or names or [""])[-1]


def look_of(title: str, values: Collection[str]) -> int:
    """A number that is the same for titles which differ in colours, measures and other `values` alone."""
    tokens = [fold_text(token) for token in _TOKEN.findall(_HYPHEN.sub(" ", title))]
    words = [
        word
        for place, word in enumerate(tokens)
        if word[0].isalnum()
        and word not in COLOURS | UNITS
        and word not in values
        and not HAN_COLOUR.fullmatch(word)
        and not _MEASURE.fullmatch(word)
        and not (word[0].isdigit() and "".join(tokens[place + 1 : place + 2]) in UNITS | INCHES)
    ]
    return zlib.crc32(" ".join(words).encode())


def _tokens_before_context(title: str) -> list[str]:
    tokens: list[str] = []
    for token in _TOKEN.findall(_MARKS.sub("", _HYPHEN.sub(" ", _ASIDE.sub("; ", title)))):
        if token.lower() in CONTEXT:
            break
        tokens.append(token)
    return tokens


def _latin_heads(tokens: Sequence[str], brands: Collection[str], values: Collection[str]) -> Iterator[str]:
    words = [fold_text(token) for token in tokens]
    kinds = [_kind_of(token, word, values) for token, word in zip(tokens, words, strict=True)]
    for place in range(len(kinds) - 1):
        if kinds[place] is PartKind.NUMBER and (words[place + 1] in UNITS or words[place + 1] in INCHES):
            kinds[place] = kinds[place + 1] = PartKind.END
    measures, is_named = 0, False
    for place, word in enumerate(words):
        measures += kinds[place] is PartKind.END and word[0].isdigit()
        if is_named and measures >= SPECIFICATIONS:
            return
        if kinds[place] not in (PartKind.WORD, PartKind.ACRONYM) or word in brands:
            continue
        rest = place + 1
        while rest + 1 < len(kinds) and kinds[rest] is PartKind.JOIN:
            rest += 2
        if PartKind.WORD not in takewhile(lambda kind: kind is not PartKind.END, kinds[rest:]):
            is_named = True
            yield stem_word(word)


def _kind_of(token: str, word: str, values: Collection[str]) -> PartKind:
    if word in JOINING:
        return PartKind.JOIN
    if word in COLOURS or word in values:
        return PartKind.DESCRIPTION
    if _MEASURE.fullmatch(word) or not word[0].isalnum():
        return PartKind.END
    if not word.isalpha():
        return PartKind.NUMBER
    return PartKind.ACRONYM if token.isupper() and 1 < len(token) <= ACRONYM_LENGTH else PartKind.WORD


def _han_heads(text: str) -> Iterator[str]:
    for words, place in _han_head_places(text):
        word = words[place]
        yield word
        yield from (each for each in segment_han(word, fine=True) if word.endswith(each))
        if len(word) == 1 and place:
            yield words[place - 1] + word


def _han_head_places(text: str) -> Iterator[tuple[list[str], int]]:
    """The words of each run, and the place of the one it is about."""
    for han, _ in script_runs(text):
        tagged = rjieba.tag(han) if han else []
        words = [word for word, _ in tagged]
        place = len(tagged) - 1
        while place >= 0:
            word, kind = tagged[place]
            if len(word) == 1 and place and len(words[place - 1]) == 1:
                place -= 2
            elif (len(word) > 1 and kind in DESCRIBING) or is_no_head(word):
                place -= 1
            else:
                break
        if words:
            yield words, place if place >= 0 else len(words) - 1


def is_no_head(word: str) -> bool:
    return word in HAN_PROMOTION or HAN_COLOUR.fullmatch(word) is not None
