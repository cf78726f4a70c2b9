"""Reading the files of the standard taxonomy."""

from pathlib import Path

import pytest

from domain.catalog.problems import PROBLEM_LIMIT
from domain.catalog.taxonomy.standard import (
    TaxonomyAttribute,
    TaxonomyCategory,
    TaxonomyRefused,
    TaxonomyValue,
    read_taxonomy,
    taxonomy_files,
)
from tests.factories.taxonomy import (
    EN,
    GID,
    ZH,
    Json,
    attribute_file,
    category_lines,
    colour_attribute,
    edition_files,
    fabric_attribute,
    json_entry,
    link_file,
)


def problems_of(**changes: bytes) -> list[tuple[str, int, str, str]]:
    with pytest.raises(TaxonomyRefused) as wrong:
        read_taxonomy(edition_files(**changes))
    return [(each.file, each.line, each.column, str(each.reason)) for each in wrong.value.problems]


def test_an_edition_is_read_with_its_names_in_every_language() -> None:
    taxonomy = read_taxonomy(edition_files())

    assert (taxonomy.version, taxonomy.languages, taxonomy.size) == ("2026-01", ("en", "zh-CN"), 12)
    assert [category.id for category in taxonomy.categories] == list(EN)
    assert taxonomy.categories[2] == TaxonomyCategory("aa-1-1", {"en": "Joggers", "zh-CN": "慢跑裤"})
    assert [category.parent_id for category in taxonomy.categories[:3]] == [None, "aa", "aa-1"]
    assert taxonomy.attributes[0] == TaxonomyAttribute(
        "1",
        "colour",
        {"en": "Colour", "zh-CN": "颜色"},
        (
            TaxonomyValue("10", "red", {"en": "Red", "zh-CN": "红色"}),
            TaxonomyValue("11", "blue", {"en": "Blue", "zh-CN": "蓝色"}),
        ),
    )


def test_values_have_the_order_of_the_english_file() -> None:
    swapped = colour_attribute("颜色", "红色", "蓝色")
    swapped["values"] = list(reversed(swapped["values"]))  # type: ignore[call-overload]

    taxonomy = read_taxonomy(
        edition_files(zh_attributes=attribute_file(swapped, fabric_attribute("面料", "羊毛")))
    )

    assert [value.code for value in taxonomy.attributes[0].values] == ["red", "blue"]


def test_a_category_has_the_attributes_that_none_above_it_has() -> None:
    taxonomy = read_taxonomy(edition_files(links=link_file(aa=[1], aa_1=[1, 2], aa_1_1=[1, 2])))

    assert {
        category.id: category.attribute_ids for category in taxonomy.categories if category.attribute_ids
    } == {
        "aa": ("1",),
        "aa-1": ("2",),
    }


def test_invisible_characters_in_names_are_removed() -> None:
    invisible = "\u200b"

    taxonomy = read_taxonomy(
        edition_files(
            zh_lines=category_lines(ZH | {"fb": f"食{invisible}品", "fb-1": f"食品 > {invisible}茶\u2009叶"})
        )
    )

    assert taxonomy.categories[-1].names["zh-CN"] == "茶 叶"


def test_files_may_begin_with_a_byte_order_mark_and_end_lines_like_windows() -> None:
    data = b"\xef\xbb\xbf" + category_lines(EN).replace(b"\n", b"\r\n")

    assert read_taxonomy(edition_files(en_lines=data)) == read_taxonomy(edition_files())


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"fb-1-1": "Food > Tea > "}, "fb-1-1 has no name"),
        ({"fb-2-1": "Food > Nuts > Almonds"}, "fb-2-1 stands below fb-2, which is missing"),
        ({"fb-2": "Foot > Nuts"}, 'fb-2 names "Foot" above it, but there is "Food"'),
        ({"fb-2": "Nuts"}, 'fb-2 names "" above it, but there is "Food"'),
        ({"ha": "Home > Garden"}, 'ha names "Home" above it, but there is ""'),
        ({"fb-2": f"Food > {'x' * 256}"}, "fb-2 has a name of 256 characters; at most 255 are taken"),
        ({"fb-2": "Food > \x07"}, "fb-2 has a name with characters that cannot be shown"),
        ({"FB": "Food"}, "is not the id of a category, a colon and the names from the root down"),
    ],
)
def test_a_category_that_is_wrong_is_named_with_its_line(wrong: dict[str, str], reason: str) -> None:
    (problem,) = problems_of(en_lines=category_lines(EN | wrong), zh_lines=category_lines(ZH | wrong))[:1]

    assert problem == ("en/categories.txt", 11, "", reason)


def test_an_id_may_occur_only_once_in_a_file() -> None:
    twice = category_lines(EN) + f"{GID}aa-1 : Clothes > Trousers & Co\n".encode()

    assert problems_of(en_lines=twice) == [("en/categories.txt", 11, "", "aa-1 stands in line 5 already")]


def test_a_tree_may_be_twelve_levels_deep() -> None:
    ids = ["xx" + "-1" * level for level in range(13)]
    paths = {id: " > ".join(ids[: level + 1]) for level, id in enumerate(ids)}

    assert problems_of(en_lines=category_lines(EN | paths), zh_lines=category_lines(ZH | paths))[0] == (
        "en/categories.txt",
        23,
        "",
        f"{ids[12]} stands 13 levels deep; at most 12 are taken",
    )


def test_all_languages_have_the_same_categories() -> None:
    without_tea = {id: path for id, path in ZH.items() if id != "fb-1"}

    assert problems_of(zh_lines=category_lines(without_tea | {"fb-7": "食品 > 坚果"})) == [
        ("zh-CN/categories.txt", 0, "", "fb-1 is missing; it stands in en/categories.txt line 10"),
        ("zh-CN/categories.txt", 10, "", "fb-7 is missing in en/categories.txt"),
    ]


def test_all_languages_have_the_same_attributes_and_values() -> None:
    other = colour_attribute("颜色", "红色", "蓝色")
    other["values"] = [
        json_entry("Value", 10, "colour__pink", "红色"),
        json_entry("Value", 12, "colour__green", "绿色"),
    ]

    assert problems_of(zh_attributes=attribute_file(other)) == [
        (
            "zh-CN/attributes.json",
            0,
            "",
            "gid://shopify/TaxonomyAttribute/2 is missing; it is attributes[1] of en/attributes.json",
        ),
        (
            "zh-CN/attributes.json",
            0,
            "",
            "gid://shopify/TaxonomyValue/11 is missing; it is attributes[0].values[1] of en/attributes.json",
        ),
        (
            "zh-CN/attributes.json",
            0,
            "",
            "gid://shopify/TaxonomyValue/20 is missing; it is attributes[1].values[0] of en/attributes.json",
        ),
        (
            "zh-CN/attributes.json",
            10,
            "attributes[0].values[0]",
            "gid://shopify/TaxonomyValue/10 is red in en/attributes.json",
        ),
        (
            "zh-CN/attributes.json",
            15,
            "attributes[0].values[1]",
            "gid://shopify/TaxonomyValue/12 is missing in en/attributes.json",
        ),
    ]


def test_all_files_have_the_same_version() -> None:
    assert problems_of(zh_lines=category_lines(ZH, version="2025-08")) == [
        ("zh-CN/categories.txt", 0, "", "is of version 2025-08, en/categories.txt of 2026-01")
    ]


def test_a_file_without_a_version_is_refused() -> None:
    without = category_lines(EN).split(b"\n", 1)[1]

    assert problems_of(en_lines=without) == [
        ("en/categories.txt", 1, "", 'does not begin with "# ... Categories: " and a version')
    ]
    assert problems_of(en_attributes=b'{"attributes": []}') == [
        ("en/attributes.json", 0, "version", "is missing")
    ]


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"", 0, "the file is empty"),
        ("颜色".encode("gbk"), 1, "not UTF-8: byte 0xD1; save the file as UTF-8"),
        (b'{\n"version": }', 2, "not JSON: unexpected character"),
        (b"[]", 1, "not a JSON object"),
    ],
)
def test_an_unreadable_file_is_refused_with_a_reason(data: bytes, line: int, reason: str) -> None:
    (problem,) = problems_of(en_attributes=data)

    assert problem[:3] == ("en/attributes.json", line, "")
    assert problem[3].startswith(reason)


def test_a_missing_file_is_refused_by_name() -> None:
    given = edition_files()
    del given["zh-CN/attributes.json"]

    with pytest.raises(TaxonomyRefused, match=r"^zh-CN/attributes.json: the file is missing$"):
        read_taxonomy(given)
    with pytest.raises(
        TaxonomyRefused, match=r"^en/categories.txt: the file is missing \(1 more problems\)$"
    ):
        read_taxonomy({})


@pytest.mark.parametrize(
    ("rows", "column", "reason"),
    [
        (["red"], "attributes[0]", "is not an object"),
        ([{"id": 1}], "attributes[0].id", "is not gid://shopify/TaxonomyAttribute/ and what names it"),
        ([json_entry("Attribute", 1, "a", "")], "attributes[0]", "has no name"),
        ([json_entry("Attribute", 1, "a b", "A")], "attributes[0]", "has no handle that is a code"),
        ([json_entry("Attribute", 1, "a", "A")], "attributes[0].values", "is not a list"),
        (
            [
                json_entry("Attribute", 1, "a", "A", values=[]),
                json_entry("Attribute", 2, "a", "A", values=[]),
            ],
            "attributes[1]",
            "a stands here twice",
        ),
        (
            [
                json_entry("Attribute", 1, "a", "A", values=[json_entry("Value", 5, "a__x", "X")]),
                json_entry("Attribute", 2, "b", "B", values=[json_entry("Value", 5, "b__x", "X")]),
            ],
            "attributes[1].values[0]",
            "gid://shopify/TaxonomyValue/5 stands here twice",
        ),
    ],
)
def test_a_wrong_attribute_is_refused_with_its_place(rows: list[Json], column: str, reason: str) -> None:
    problems = problems_of(en_attributes=attribute_file(*rows))

    assert [(file, *place) for file, _, *place in problems if file == "en/attributes.json"][:1] == [
        ("en/attributes.json", column, reason)
    ]


def test_links_to_unknown_categories_and_attributes_are_refused() -> None:
    assert problems_of(links=link_file(zz=[1], aa=[7])) == [
        ("en/categories.json", 0, "", "zz is missing in en/categories.txt"),
        ("en/categories.json", 0, "", "aa has attribute 7, which is missing"),
    ]


def test_problems_beyond_a_thousand_are_counted() -> None:
    nonsense = category_lines(EN) + b"nonsense\n" * (PROBLEM_LIMIT + 5)

    problems = problems_of(en_lines=nonsense)

    assert len(problems) == PROBLEM_LIMIT + 1
    assert problems[-1] == ("en/categories.txt", 0, "", "... and 5 more")


def test_the_files_of_a_folder_are_found(tmp_path: Path) -> None:
    for name, data in edition_files(links=link_file(aa=[1])).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "LICENSE").write_text("free")

    assert taxonomy_files(tmp_path) == edition_files(links=link_file(aa=[1]))
