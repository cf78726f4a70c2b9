"""Language tags: "en", "zh-CN"."""


def canonical_tag(tag: str) -> str:
    """The tag in its usual spelling (RFC 5646, 2.1.1); capitals make no difference to its meaning."""
    primary, *others = tag.split("-")
    return "-".join([primary.lower(), *map(_canonical_subtag, others)])


def _canonical_subtag(subtag: str) -> str:
    """Two letters are a region, four a script."""
    return {2: subtag.upper(), 4: subtag.capitalize()}.get(len(subtag), subtag.lower())
