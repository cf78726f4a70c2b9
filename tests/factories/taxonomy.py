"""Small editions of the standard taxonomy, as files."""

from collections.abc import Mapping

import orjson

GID = "gid://shopify/TaxonomyCategory/"
EN = {
    "aa": "Clothes",
    "aa-1": "Clothes > Trousers & Co",
    "aa-1-1": "Clothes > Trousers & Co > Joggers",
    "aa-2": "Clothes > Shirts",
    "aa-2-1": "Clothes > Shirts > Joggers",
    "fb": "Food",
    "fb-1": "Food > Tea",
}
ZH = {
    "aa": "服装",
    "aa-1": "服装 > 裤子",
    "aa-1-1": "服装 > 裤子 > 慢跑裤",
    "aa-2": "服装 > 衬衫",
    "aa-2-1": "服装 > 衬衫 > 慢跑衫",
    "fb": "食品",
    "fb-1": "食品 > 茶",
}
Json = dict[str, object]


def category_lines(paths: Mapping[str, str], *, version: str = "2026-01") -> bytes:
    rows = (f"{GID}{id:<9}: {path}\n" for id, path in paths.items())
    return f"# Categories: {version}\n# Format: id : path\n\n{''.join(rows)}".encode()


def json_entry(kind: str, number: int, handle: str, name: str, **more: object) -> Json:
    return {"id": f"gid://shopify/Taxonomy{kind}/{number}", "handle": handle, "name": name, **more}


def attribute_file(*rows: Json, version: str = "2026-01") -> bytes:
    return orjson.dumps({"version": version, "attributes": rows}, option=orjson.OPT_INDENT_2)


def colour_attribute(name: str, red: str, blue: str) -> Json:
    values = [json_entry("Value", 10, "colour__red", red), json_entry("Value", 11, "colour__blue", blue)]
    return json_entry("Attribute", 1, "colour", name, values=values)


def fabric_attribute(name: str, wool: str) -> Json:
    return json_entry("Attribute", 2, "fabric", name, values=[json_entry("Value", 20, "fabric__wool", wool)])


def edition_files(**changes: bytes) -> dict[str, bytes]:
    """The files of a small edition; `en_lines=...` replaces en/categories.txt, and so on."""
    given = {
        "en_lines": category_lines(EN),
        "zh_lines": category_lines(ZH),
        "en_attributes": attribute_file(
            colour_attribute("Colour", "Red", "Blue"), fabric_attribute("Fabric", "Wool")
        ),
        "zh_attributes": attribute_file(
            colour_attribute("颜色", "红色", "蓝色"), fabric_attribute("面料", "羊毛")
        ),
    } | changes
    names = {
        "en_lines": "en/categories.txt",
        "zh_lines": "zh-CN/categories.txt",
        "en_attributes": "en/attributes.json",
        "zh_attributes": "zh-CN/attributes.json",
        "links": "en/categories.json",
    }
    return {names[key]: data for key, data in given.items()}


def link_file(**categories: list[int]) -> bytes:
    rows = [
        {
            "id": GID + id.replace("_", "-"),
            "attributes": [{"id": f"gid://shopify/TaxonomyAttribute/{number}"} for number in numbers],
        }
        for id, numbers in categories.items()
    ]
    return orjson.dumps({"version": "2026-01", "verticals": [{"name": "All", "categories": rows}]})
