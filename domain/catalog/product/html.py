"""Sanitizing the HTML of product descriptions."""

import re
from collections.abc import Iterator

import nh3

from domain.catalog.problems import WrongText
from text.characters import clean_text

HTML_LIMIT = 512 * 1024
"""Characters of one description."""

HTML_TAG_LIMIT = 10_000
"""Tags of one description: deep nesting costs the parser the square of its depth."""

PASSES = 8

# fmt: off
TAGS = {
    "a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "center", "cite", "code", "col",
    "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt",
    "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}

REMOVED_WITH_CONTENT = {
    "iframe", "math", "noembed", "noframes", "noscript", "object", "script", "style", "svg", "template",
    "textarea", "title", "xmp",
}

# fmt: on
ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "img": {"alt", "height", "src", "width"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "q": {"cite"},
    "td": {"colspan", "headers", "rowspan"},
    "th": {"colspan", "headers", "rowspan", "scope"},
    "time": {"datetime"},
}

_cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=REMOVED_WITH_CONTENT,
    attributes=ATTRIBUTES,
    url_schemes={"http", "https", "mailto", "tel"},
)
_plain = nh3.Cleaner(tags=set(), clean_content_tags=REMOVED_WITH_CONTENT)


_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z_:][\w:.-]*)(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"']+))?")


def removed_html(html: str, cleaned: str) -> list[str]:
    """The tags, in angle brackets, and attributes that `html` has and `cleaned` lacks, by name."""
    if html == cleaned:
        return []
    return sorted({*_html_names(html)} - {*_html_names(cleaned)})


def _html_names(html: str) -> Iterator[str]:
    for tag, attributes in _TAG.findall(html):
        yield f"<{tag.lower()}>"
        yield from map(str.lower, _ATTRIBUTE.findall(attributes))


def clean_html(html: str) -> str:
    """`html` without anything that could run or restyle the page; ValueError when it is too large.

    Cleaning clean HTML changes nothing. One pass does not guarantee that (a parser drops the first line
    break of every <pre>), so passes repeat until nothing changes; what still changes becomes plain text.
    """
    if len(html) > HTML_LIMIT:
        raise WrongText(
            "has {length} characters; at most {limit} are taken", length=len(html), limit=HTML_LIMIT
        )
    if html.count("<") > HTML_TAG_LIMIT:
        raise WrongText("has more than {limit} tags", limit=HTML_TAG_LIMIT)
    for _ in range(PASSES):
        cleaned = clean_text(_cleaner.clean(html)).strip()  # it may hold character references
        if cleaned == html:
            return cleaned
        html = cleaned
    return _plain.clean(html).strip()
