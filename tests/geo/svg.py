"""What tests read from a drawn map."""

import re
from xml.etree.ElementTree import Element, fromstring

NAMESPACE = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "desc", "style", "rect", "path", "polyline", "polygon", "circle", "line", "text", "g"}
Rectangle = tuple[float, float, float, float]


def parse_map(drawn: str) -> Element:
    """The map as it is parsed; it has no element or attribute that runs, loads or leads anywhere."""
    root = fromstring(drawn)  # noqa: S314 - written by ourselves
    for each in root.iter():
        assert each.tag.removeprefix(NAMESPACE) in TAGS
        for name, value in each.attrib.items():
            assert not name.startswith("on")
            assert name not in ("href", "style", "src")
            assert not re.search(r"url\(|javascript|//", value)
    style = root.findtext(f"{NAMESPACE}style") or ""
    assert not re.search(r"url\(|@import|//", style)
    return root


def tag_of(element: Element) -> str:
    """The tag with its class, such as "rect.mark done"."""
    name, look = element.tag.removeprefix(NAMESPACE), element.get("class")
    return f"{name}.{look}" if look else name


def texts_of(root: Element) -> list[str]:
    """All texts that are seen, in their order."""
    return [each.text or "" for each in root.iter(f"{NAMESPACE}text")]


def marks_of(root: Element) -> list[tuple[str, str]]:
    """The numbers on the map with their looks, in the order of the numbers."""
    frame = root.find(f"{NAMESPACE}svg")
    assert frame is not None
    found, children = [], list(frame)
    for place, each in enumerate(children):
        if each.get("class") == "number":
            look = (children[place - 1].get("class") or "").removeprefix("mark ")
            found.append((each.text or "", look))
    return sorted(found, key=lambda each: int(re.match(r"\d+", each[0])[0]))  # type: ignore[index]


def badges_of(root: Element) -> list[Rectangle]:
    """The rectangles of the numbers on the map: left, top, right, bottom."""
    frame = root.find(f"{NAMESPACE}svg")
    assert frame is not None
    sides = [
        [float(each.get(name) or 0) for name in ("x", "y", "width", "height")]
        for each in frame
        if tag_of(each).startswith("rect.mark")
    ]
    return [(x, y, x + width, y + height) for x, y, width, height in sides]


def size_of(root: Element) -> tuple[float, float]:
    """Width and height of the map within the drawing."""
    frame = root.find(f"{NAMESPACE}svg")
    assert frame is not None
    return float(frame.get("width") or 0), float(frame.get("height") or 0)


def has_outlines(root: Element) -> bool:
    return any(tag_of(each) in ("path.coast", "path.province") for each in root.iter())
