"""Decoding a file: Unicode, or GB18030 as spreadsheets in China save it."""

import codecs
from collections.abc import Sequence

from domain.catalog.limits import FILE_LIMIT
from domain.catalog.problems import NoteList, ProblemList
from text.messages import Message

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

CHINESE = "gb18030"
"""A superset of GBK and GB 2312."""

COMMON_SHARE = 0.7
"""How many of the characters beyond ASCII must be common Chinese ones.

Files in other encodings decode to rare characters; those are refused rather than guessed at.
"""

_PUNCTUATION = range(0xA1, 0xAA)
_COMMON = range(0xB0, 0xD8)
"""First bytes of the punctuation and of the 3,755 common characters of GB 2312."""


SPREADSHEETS = ((b"PK\x03\x04", ("xlsx", "ods")), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("xls",)))
"""How files of spreadsheets begin."""


ZIP_NAME_AT = 30
"""Where the name of the first file in a zip begins."""

TEXT_FILES = (b".csv", b".tsv", b".txt")


def archive_kind(data: bytes) -> str:
    """The kind of archive that the file is, with a product file in it; "" for any other file."""
    if data.startswith(b"\x1f\x8b"):
        return "gzip"
    name = data[ZIP_NAME_AT : ZIP_NAME_AT + int.from_bytes(data[26:28], "little")]
    is_zip = data.startswith(b"PK\x03\x04") and name.lower().endswith(TEXT_FILES)
    return "zip" if is_zip else ""


def spreadsheet_kinds(data: bytes) -> Sequence[str]:
    """The kinds of spreadsheet that a file may be; none of any other file."""
    return next((kinds for start, kinds in SPREADSHEETS if data.startswith(start)), ())


def decode_file(data: bytes, problems: ProblemList, notes: NoteList) -> str:
    """The text of the file, or "" and a problem; a note where it is not in Unicode."""
    if len(data) > FILE_LIMIT:
        problems.add(
            1,
            "",
            Message(
                "the file has {length} bytes; at most {limit} are taken", length=len(data), limit=FILE_LIMIT
            ),
        )
        return ""
    text = _decode_bytes(data, problems, notes)
    nul = text.find("\0")
    if nul >= 0:
        problems.add(text.count("\n", 0, nul) + 1, "", Message("not a text file: it holds a NUL byte"))
        return ""
    return text


def _decode_bytes(data: bytes, problems: ProblemList, notes: NoteList) -> str:
    mark, encoding = next((each for each in BYTE_ORDER_MARKS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as wrong:
        if not mark and (text := _decode_chinese(data)):
            notes.add(1, "", Message("not UTF-8: read as GB18030 (GBK)"))
            return text
        at = len(mark) + wrong.start
        line = data.count("\n".encode(encoding), 0, at) + 1
        name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        problems.add(
            line,
            "",
            Message("not {name}: byte 0x{byte}; save the file as UTF-8", name=name, byte=f"{data[at]:02X}"),
        )
        return ""


def _decode_chinese(data: bytes) -> str:
    """The text in GB18030; "" when it cannot be decoded or is not likely to be Chinese."""
    try:
        text = data.decode(CHINESE)
    except UnicodeDecodeError:
        return ""
    beyond = "".join(character for character in text if not character.isascii())
    pairs = beyond.encode("gb2312", "ignore")[::2]
    common = sum(first in _PUNCTUATION or first in _COMMON for first in pairs)
    return text if common >= COMMON_SHARE * len(beyond) else ""
