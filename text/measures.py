"""Measures in one spelling: "400 mL" and "400毫升" are 400ml."""

import re

UNITS = {
    "毫升": "ml", "公升": "l", "升": "l", "千克": "kg", "公斤": "kg", "毫克": "mg", "克": "g",
    "英寸": "inch", "吋": "inch", "寸": "inch", "厘米": "cm", "公分": "cm", "毫米": "mm", "千米": "km",
    "公里": "km", "瓦": "w", "inches": "inch", "″": "inch", "”": "inch",
}  # fmt: skip
"""Spellings of units with the one that is indexed."""

LATIN = ("ml", "l", "kg", "mg", "g", "inch", "cm", "mm", "km", "w", "gb", "tb", "mb", "mah", "hz")
NOT_UNITS = "克拉|升级|升降|寸步"
"""What begins like a unit and is a word."""

_HAN = "|".join(sorted((each for each in UNITS if not each.isascii()), key=len, reverse=True))
_LATIN = "|".join(sorted((*LATIN, "inches"), key=len, reverse=True))
_MEASURE = re.compile(rf"(?<![a-z0-9])(\d+)\s*(?:(?!{NOT_UNITS})({_HAN})|({_LATIN})(?![a-z0-9]))")
_DIGIT = re.compile(r"\d")
_INCHES = re.compile(r"(?<![a-z0-9\"])(\d{1,3})\"(?!\w)")
_QUOTED = re.compile(r"(?:^|[\s(])\"(?=\w)")


def join_units(text: str) -> str:
    """The folded text with each whole number and its unit as one word."""
    if not _DIGIT.search(text):
        return text
    if '"' in text and not _QUOTED.search(text):
        text = _INCHES.sub(r"\1inch ", text)
    return _MEASURE.sub(lambda match: f"{match[1]}{unit_of(match[2] or match[3])} ", text)


def unit_of(spelling: str) -> str:
    return UNITS.get(spelling, spelling)
