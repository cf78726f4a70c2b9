"""What breaks clients of the last release is found, and let through only with a decision record."""

from pathlib import Path

import pytest

from edge.operations.releases import ReleaseRefused, cut_release, find_last_release, find_unwanted_breaks

RELEASED = "type Query { product(id: ID!): Product } type Product { id: ID! title: String! brand: String }"
OPERATIONS = {
    "web/product.graphql": "query WebProduct($id: ID!) { product(id: $id) { ...Card } }",
    "web/fragments.graphql": "fragment Card on Product { id title }",
    "staff/product.graphql": "query StaffProduct($id: ID!) { product(id: $id) { brand } }",
}
ADDED = RELEASED.replace("brand: String", "brand: String sku: String")
GONE = RELEASED.replace(" brand: String", "")
BROKEN = [
    "Field Product.brand was removed.",
    "StaffProduct: Cannot query field 'brand' on type 'Product'.",
]
MISSING = [
    f"{name}: Argument 'Query.product(language:)' of type 'String!' is required, but it was not provided."
    for name in ("StaffProduct", "WebProduct")
]
REQUIRED = RELEASED.replace("product(id: ID!)", "product(id: ID!, language: String!)")


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """A folder with the release 0.2.0, beside a folder of decision records with one record."""
    for name, text in OPERATIONS.items():
        (tmp_path / "clients" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clients" / name).write_text(text)
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "0031-brands-go.md").touch()
    releases = tmp_path / "releases"
    cut_release(releases, "0.2.0", RELEASED, tmp_path / "clients", "0021")
    return releases


def breaks_of(releases: Path, sdl: str) -> list[str]:
    return find_unwanted_breaks(releases, sdl, releases.with_name("decisions"))


def accept(releases: Path, *changes: str, record: str = "0031") -> None:
    entries = [f'[[change]]\nwhat = "{change}"\nrecord = "{record}"\n' for change in changes]
    (releases / "breaking.toml").write_text("\n".join(entries))


def test_a_release_holds_the_schema_and_every_operation(releases: Path) -> None:
    folder = find_last_release(releases)

    assert folder == releases / "0.2.0"
    files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.graphql")}
    assert files.pop("schema.graphql") == RELEASED
    assert files == {f"operations/{name}": text for name, text in OPERATIONS.items()}


@pytest.mark.parametrize("sdl", [RELEASED, ADDED])
def test_what_only_adds_breaks_nobody(releases: Path, sdl: str) -> None:
    assert breaks_of(releases, sdl) == []


def test_before_the_first_release_nothing_breaks(tmp_path: Path) -> None:
    assert find_unwanted_breaks(tmp_path, GONE, tmp_path) == []


@pytest.mark.parametrize(
    ("sdl", "found"),
    [
        (GONE, BROKEN),
        (REQUIRED, ["A required argument Query.product(language:) was added.", *MISSING]),
        (
            RELEASED.replace("title: String!", "title: String"),
            ["Field Product.title changed type from String! to String."],
        ),
    ],
)
def test_a_break_is_found_in_the_schema_and_in_the_operations(
    releases: Path, sdl: str, found: list[str]
) -> None:
    assert breaks_of(releases, sdl) == found


def test_a_break_with_a_decision_record_is_let_through(releases: Path) -> None:
    accept(releases, BROKEN[0])
    some = breaks_of(releases, GONE)
    accept(releases, *BROKEN)

    assert some == BROKEN[1:]
    assert breaks_of(releases, GONE) == []


def test_an_entry_without_its_record_or_its_break_is_refused(releases: Path) -> None:
    accept(releases, *BROKEN, record="0032")
    without_record = breaks_of(releases, GONE)
    accept(releases, *BROKEN)
    without_break = breaks_of(releases, RELEASED)

    assert without_record == [f"breaking.toml: there is no decision record 0032: {each}" for each in BROKEN]
    assert without_break == [f"breaking.toml: nothing does this: {each}" for each in BROKEN]


@pytest.mark.parametrize("text", ["[[change", "[[change]]\nwhat = 'x'", "change = 1"])
def test_a_file_of_wanted_breaks_that_cannot_be_read_is_named(releases: Path, text: str) -> None:
    (releases / "breaking.toml").write_text(text)

    with pytest.raises(ReleaseRefused, match=r"breaking\.toml cannot be read"):
        breaks_of(releases, RELEASED)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.2.0", "a release is never changed"),
        ("0.1.9", "older than"),
        ("next", "no version"),
        ("../1", "no version"),
    ],
)
def test_a_version_that_cannot_be_cut_is_refused(releases: Path, version: str, message: str) -> None:
    before = sorted(releases.rglob("*"))

    with pytest.raises(ReleaseRefused, match=message):
        cut_release(releases, version, GONE, releases.with_name("clients"), "0022")

    assert sorted(releases.rglob("*")) == before


def test_after_a_release_its_breaks_are_wanted_no_more(releases: Path) -> None:
    accept(releases, *BROKEN)
    (releases.with_name("clients") / "staff" / "product.graphql").unlink()
    cut_release(releases, "0.10.0", GONE, releases.with_name("clients"), "0022")

    assert find_last_release(releases) == releases / "0.10.0"
    assert breaks_of(releases, GONE) == []
    assert breaks_of(releases, RELEASED) == []
