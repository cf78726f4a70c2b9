"""Tags of languages: "en", "zh-CN"."""


def canonical(tag: str) -> str:
    """A tag as everybody writes it (RFC 5646, 2.1.1): capitals make no other language."""
    primary, *others = tag.split("-")
    return "-".join([primary.lower(), *map(_spelled, others)])


def _spelled(part: str) -> str:
    """Two letters are a country, four a script."""
    return {2: part.upper(), 4: part.capitalize()}.get(len(part), part.lower())
