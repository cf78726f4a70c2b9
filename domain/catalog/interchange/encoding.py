"""The text of a file: as Unicode, or as spreadsheets in China save it."""

import codecs

from domain.catalog.interchange.problems import Problems

FILE_LIMIT = 64 * 1024 * 1024
"""Bytes of one file."""

MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
"""What a file may begin with, and what it is in then."""

CHINESE = "gb18030"
"""All of GBK and GB 2312, and more."""

USUAL_SHARE = 0.7
"""How many of the signs beyond ASCII must be usual Chinese ones: other encodings would make rare ones of
their letters, and a file in those is not guessed at."""

_PUNCTUATION = range(0xA1, 0xAA)
_EVERYDAY = range(0xB0, 0xD8)
"""First bytes of the signs and of the 3,755 everyday characters of GB 2312."""


def decoded(data: bytes, problems: Problems, notes: Problems) -> str:
    """The text, or "" and a problem; a note where it is not in Unicode."""
    if len(data) > FILE_LIMIT:
        problems.add(1, "", f"the file has {len(data):,} bytes; at most {FILE_LIMIT:,} are taken")
        return ""
    text = _text(data, problems, notes)
    nul = text.find("\0")
    if nul >= 0:
        problems.add(text.count("\n", 0, nul) + 1, "", "not a text file: it holds a NUL byte")
        return ""
    return text


def _text(data: bytes, problems: Problems, notes: Problems) -> str:
    mark, encoding = next((each for each in MARKS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as wrong:
        if not mark and (text := _chinese(data)):
            notes.add(1, "", "not UTF-8: read as GB18030 (GBK)")
            return text
        at = len(mark) + wrong.start
        line = data.count("\n".encode(encoding), 0, at) + 1
        name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        problems.add(line, "", f"not {name}: byte 0x{data[at]:02X}; save the file as UTF-8")
        return ""


def _chinese(data: bytes) -> str:
    """The text in GB18030; "" when it is none, or reads like none."""
    try:
        text = data.decode(CHINESE)
    except UnicodeDecodeError:
        return ""
    beyond = "".join(sign for sign in text if not sign.isascii())
    pairs = beyond.encode("gb2312", "ignore")[::2]
    usual = sum(first in _PUNCTUATION or first in _EVERYDAY for first in pairs)
    return text if usual >= USUAL_SHARE * len(beyond) else ""
