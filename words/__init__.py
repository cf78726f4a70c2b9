"""Words to find things by: cut, weighed, forgiven their typos, and asked for."""

from words.cutting import WORDS_LIMIT, code, indexed, readable
from words.matching import ASKED_LIMIT, Phrase, all_of, any_of, match, match_any
from words.weighing import CODE, EVERYTHING, FULL, Part, rarity, sounds, weighed

__all__ = [
    "ASKED_LIMIT",
    "CODE",
    "EVERYTHING",
    "FULL",
    "WORDS_LIMIT",
    "Part",
    "Phrase",
    "all_of",
    "any_of",
    "code",
    "indexed",
    "match",
    "match_any",
    "rarity",
    "readable",
    "sounds",
    "weighed",
]
