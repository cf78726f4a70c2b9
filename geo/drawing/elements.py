"""SVG elements (https://www.w3.org/TR/SVG11/), written by the XML library of Python: it escapes all texts."""

import unicodedata
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement, tostring

from text.characters import REFUSED

NAMESPACE = "http://www.w3.org/2000/svg"
WIDE = frozenset("WF")
"""Characters as wide as they are high, such as Chinese ones (Unicode Standard Annex 11)."""
NARROW_WIDTH = 0.58
"""The mean width of any other character, as a part of the size of the font."""
DIGIT_WIDTH = 0.64
"""The width of a digit in the widest of the usual fonts: dates and counts have little else."""
ELLIPSIS = "…"


class Look(StrEnum):
    """How a mark looks."""

    PLAIN = "plain"
    NEXT = "next"
    DONE = "done"
    FAILED = "failed"
    LOCKED = "locked"
    DEPOT = "depot"
    GOAL = "goal"
    MOVING = "moving"


def add(parent: Element, tag: str, content: str = "", /, **attributes: str | float) -> Element:
    """A new child with a text; `class_` stands for "class", and "_" for "-" in the names of attributes."""
    written = {
        name.rstrip("_").replace("_", "-"): value if isinstance(value, str) else write_number(value)
        for name, value in attributes.items()
    }
    child = SubElement(parent, tag, written)
    if content:
        child.text = clean_text(content)
    return child


def write_number(number: float) -> str:
    """To a tenth of a unit."""
    return f"{number:.1f}".removesuffix(".0").replace("-0.0", "0")


def clean_text(text: str) -> str:
    """A text without what XML does not allow or what turns the direction of others, in one line."""
    return " ".join(REFUSED.sub("", text).split())


def write_document(root: Element) -> str:
    return tostring(root, encoding="unicode")


def width_of(text: str, size: float) -> float:
    """About how wide a text is in a font of this size."""
    return size * sum(map(width_of_character, text))


def width_of_character(character: str) -> float:
    if unicodedata.east_asian_width(character) in WIDE:
        return 1.0
    return DIGIT_WIDTH if character.isdecimal() else NARROW_WIDTH


def shorten_text(text: str, size: float, width: float) -> str:
    """A text that fits into a width, with an ellipsis where its end is left out."""
    cleaned = clean_text(text)
    if width_of(cleaned, size) <= width:
        return cleaned
    left = width - width_of(ELLIPSIS, size)
    for end, each in enumerate(cleaned):
        left -= width_of(each, size)
        if left < 0:
            return cleaned[:end].rstrip() + ELLIPSIS
    return cleaned
