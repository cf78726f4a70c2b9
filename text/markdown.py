"""Markdown as HTML that is safe in any page."""

from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

NESTING_LIMIT = 20
"""How deep lists and quotes may stand in each other; what is deeper is left out."""

CACHED_TEXTS = 128

_ALLOWED_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip

_markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_LIMIT})
_markdown.enable(["table", "strikethrough"])
_cleaner = nh3.Cleaner(
    tags=_ALLOWED_TAGS,
    attributes={"a": {"href", "title"}, "ol": {"start"}, "th": {"style"}, "td": {"style"}},
    filter_style_properties={"text-align"},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel="nofollow noopener noreferrer",
)


def parse_markdown(text: str) -> Sequence[Token]:
    """What a Markdown text consists of."""
    return _markdown.parse(text)


@lru_cache(CACHED_TEXTS)
def render_markdown(text: str) -> str:
    """The HTML of a Markdown text: no scripts, no pictures, no raw HTML, links with a few schemes only."""
    return _cleaner.clean(str(_markdown.render(text)))
