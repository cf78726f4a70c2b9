"""Which characters of an incoming text are kept, removed and refused, and its one spelling (NFC).

Sources: Unicode Standard Annex 15 (normalization), Annex 31 and RFC 5892 (joiners), Technical Standard 39
(marks, 5.4) and 51 (emoji), RFC 8265 (passwords).
"""

import re
import unicodedata
from functools import cache

LAST_OF_BMP, LAST_OF_MARKS = "\uffff", "\U0001efff"

MARKS_LIMIT = 4
"""Marks that may stand on one character (Unicode Technical Standard 39, 5.4); more hide other lines."""

LINE_END = re.compile("\r\n?|[\u2028\u2029]")
REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)
"""Controls, what changes the direction of a text, halves of characters and what is no character."""
INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that are not shown (Default_Ignorable_Code_Point, and annotations)."""

ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER = "\u200c", "\u200d"
TEXT_STYLE, EMOJI_STYLE = "\ufe0e", "\ufe0f"
KEYCAP = "\u20e3"
VIRAMA = 9
"""The combining class of what takes the vowel from a letter of an Indic script."""

PICTOGRAPH = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
CURSIVE = re.compile(
    "[\u0600-\u077f\u07c0-\u07ff\u0840-\u08ff\u1800-\u180a\u1810-\u18af\ua840-\ua87f\ufb50-\ufdcf\ufdf0-\ufdff"
    "\ufe70-\ufefc\U0001e900-\U0001e95f]"
)
"""Scripts whose letters join their neighbours: Arabic, Syriac, N'Ko, Mandaic, Mongolian, Phags-pa, Adlam."""
MONGOLIAN = re.compile("[\u1820-\u18aa]")
FLAG_OF_REGION = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
"""A black flag and the hidden letters that make it the flag of England, Scotland or Wales."""
PLAIN = re.compile("[ -~\u3001-\u3003\u3008-\u3011\u4e00-\u9fff\uff01-\uff5e]*")
"""Characters that are never changed, whatever stands beside them: most texts of carriers have no others."""
BLANK = re.compile("[\u2800]")
"""A letter that looks like a space, of Braille."""


class RefusedCharacter(ValueError):
    """A text holds a character that nobody can see and that changes what others see."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The text holds a character that is not taken: {name}")
        self.name = name


class TooManyMarks(ValueError):
    """More than MARKS_LIMIT marks stand on one character."""


def normalize_text(text: str) -> str:
    """The text in its one spelling, without invisible characters; "" where nothing visible is left.

    Raises RefusedCharacter and TooManyMarks.
    """
    if text.isascii() and text.isprintable():
        return "" if text.isspace() else text
    text = LINE_END.sub("\n", text)
    if refused := REFUSED.search(text):
        raise RefusedCharacter(name_of(refused[0]))
    normal = unicodedata.normalize("NFC", remove_invisible(text))
    if has_too_many_marks(normal):
        raise TooManyMarks
    return normal if any(map(is_visible, normal)) else ""


def clean_text(text: str) -> str:
    """The text of a partner, who cannot write it anew: what is refused of others is removed."""
    if PLAIN.fullmatch(text) and not text.isspace():
        return text
    kept = remove_invisible(REFUSED.sub("", LINE_END.sub("\n", text)))
    normal = unicodedata.normalize("NFC", kept)
    too_many = marks_pattern(max(normal, default=""))
    return normalize_text(too_many.sub(lambda marks: marks[0][:MARKS_LIMIT], normal))


def normalize_password(password: str) -> str:
    """The password as it is hashed: any space is one of ASCII, letters in NFC (RFC 8265, 4.2.2)."""
    if password.isascii():
        return password
    spaced = "".join(" " if unicodedata.category(each) == "Zs" else each for each in password)
    return unicodedata.normalize("NFC", spaced)


def remove_invisible(text: str) -> str:
    """The text without the invisible characters that its emoji and scripts do not need."""
    if not INVISIBLE.search(text):
        return text
    of_flags = {at for flag in FLAG_OF_REGION.finditer(text) for at in range(*flag.span())}
    kept: list[str] = []
    for at, each in enumerate(text):
        before, after = kept[-1] if kept else "", text[at + 1 : at + 2]
        if at in of_flags or not INVISIBLE.match(each) or is_needed(each, before=before, after=after):
            kept.append(each)
    return "".join(kept)


def is_needed(invisible: str, *, before: str, after: str) -> bool:
    """Whether an invisible character changes how its neighbours are shown, in an emoji or a script."""
    match invisible:
        case "\ufe0f" if after == KEYCAP:
            return before in set("0123456789#*")
        case "\ufe0e" | "\ufe0f":
            return bool(PICTOGRAPH.match(before))
        case "\u200d":
            joins_emoji = (before == EMOJI_STYLE or PICTOGRAPH.match(before)) and PICTOGRAPH.match(after)
            return bool(joins_emoji or CURSIVE.match(before)) or is_virama(before) or is_virama(after)
        case "\u200c":
            return is_virama(before) or bool(CURSIVE.match(before) and CURSIVE.match(after))
        case "\u180b" | "\u180c" | "\u180d" | "\u180e" | "\u180f":
            return bool(MONGOLIAN.match(before))
    return False


def is_virama(character: str) -> bool:
    return character != "" and unicodedata.combining(character) == VIRAMA


def is_visible(character: str) -> bool:
    """Whether it shows something by itself."""
    category = unicodedata.category(character)
    return category[0] not in "ZM" and category not in ("Cc", "Cf") and not BLANK.match(character)


def has_too_many_marks(text: str) -> bool:
    return not text.isascii() and bool(marks_pattern(max(text)).search(text))


def marks_pattern(highest: str) -> "re.Pattern[str]":
    """More than MARKS_LIMIT marks in a row, for texts of characters up to the highest."""
    return marks_up_to(LAST_OF_MARKS if highest > LAST_OF_BMP else LAST_OF_BMP)


@cache
def marks_up_to(last: str) -> "re.Pattern[str]":
    """The pattern of too many marks; one for the Basic Multilingual Plane alone is fifty times as fast."""
    codes = [code for code in range(ord(last) + 1) if unicodedata.category(chr(code)) in ("Mn", "Me")]
    starts = [code for code, before in zip(codes, [-2, *codes], strict=False) if code != before + 1]
    ends = [code for code, after in zip(codes, [*codes[1:], -2], strict=True) if code != after - 1]
    ranges = "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))
    return re.compile(f"[{ranges}]{{{MARKS_LIMIT + 1},}}")


def name_of(character: str) -> str:
    """The code point with its name, such as "U+202E RIGHT-TO-LEFT OVERRIDE"."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
