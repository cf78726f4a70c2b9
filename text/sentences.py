"""The sentences of a Markdown text, without its marks."""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from text.markdown import parse_markdown

END = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+")
"""Where a sentence ends: Chinese ones need no space after it."""


def split_sentences(markdown: str) -> list[str]:
    """The sentences of paragraphs and lists, in their order; headings, tables and code are none."""
    found = []
    for text in read_paragraphs(parse_markdown(markdown)):
        found += [part.strip() for part in END.split(text) if part.strip()]
    return found


def read_paragraphs(tokens: Sequence[Token]) -> Iterator[str]:
    before = ""
    for token in tokens:
        if token.type == "inline" and before == "paragraph_open":
            yield "".join(map(read_inline, token.children or ()))
        before = token.type


def read_inline(token: Token) -> str:
    if token.type in {"text", "code_inline"}:
        return token.content
    return " " if token.type in {"softbreak", "hardbreak"} else ""
