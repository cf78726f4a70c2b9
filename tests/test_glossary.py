"""The glossary agrees with the schema, the code and the tables, and its banned words stand nowhere."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema

from bench.structure import Module, parse_module, read_modules
from models import Base
from tests.glossary import (
    BANNED_COLUMNS,
    BANNED_SECTION,
    NONE,
    TERM_COLUMNS,
    Ban,
    all_names,
    banned_classes,
    banned_names,
    banned_texts,
    class_names,
    code_names,
    missing_names,
    missing_paths,
    read_bans,
    read_terms,
    repeated_names,
    sdl_names,
    types_to_explain,
    useless_exceptions,
    wrong_tables,
)

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "glossary.md"
TEXTS = [ROOT / "README.md", ROOT / "schema.graphql", *sorted((ROOT / "docs").rglob("*.md"))]

# --- the glossary of this project

GLOSSARY = PAGE.read_text(encoding="utf-8")
TERMS, BANS = read_terms(GLOSSARY), read_bans(GLOSSARY)
MODELS = {mapper.class_.__tablename__: mapper.class_.__name__ for mapper in Base.registry.mappers}


@pytest.fixture(scope="module")
def sdl() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    """All code but the migrations, which speak of tables as they were called once."""
    return [module for module in read_modules(ROOT) if module.room != "migrations"]


def bans_of(place: str, bans: Sequence[Ban] = BANS) -> list[Ban]:
    return [ban for ban in bans if place in ban.places]


def sdl_parts(sdl: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Each name of the SDL by itself."""
    for name in sdl_names(sdl):
        yield from (("schema.graphql", part) for part in re.findall(r"\w+", name))


def test_each_area_is_in_alphabetical_order_and_every_row_is_filled() -> None:
    for one, other in pairwise(TERMS):
        assert one.area != other.area or one.term.lower() < other.term.lower(), other.term
    for term in TERMS:
        assert term.meaning.endswith("."), term.term
        assert re.fullmatch(r"ours: .+|(?!ours).+", term.source), term.term


def test_a_name_stands_for_one_concept() -> None:
    assert repeated_names(TERMS) == []


def test_every_name_in_the_column_sdl_is_in_the_schema(sdl: GraphQLSchema) -> None:
    assert missing_names((name for term in TERMS for name in term.sdl), sdl_names(sdl)) == []


def test_every_name_in_the_column_code_is_in_the_code(modules: list[Module]) -> None:
    assert missing_names((name for term in TERMS for name in term.code), code_names(modules)) == []


def test_every_table_stands_in_one_row_with_its_model() -> None:
    assert wrong_tables(TERMS, MODELS) == []


def test_every_type_of_the_schema_is_explained(sdl: GraphQLSchema) -> None:
    explained = {name for term in TERMS for name in term.sdl}
    assert missing_names(types_to_explain(sdl), explained) == []


def test_no_name_has_a_banned_word(modules: list[Module]) -> None:
    assert banned_names(all_names(modules), bans_of("names")) == []
    assert banned_classes(class_names(modules), bans_of("classes")) == []


def test_no_name_of_the_schema_has_a_banned_word(sdl: GraphQLSchema) -> None:
    assert banned_names(sdl_parts(sdl), [*bans_of("names"), *bans_of("SDL")]) == []


def test_no_text_has_a_banned_word() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in TEXTS}
    texts["docs/glossary.md"], _ = GLOSSARY.split(f"## {BANNED_SECTION}")
    assert banned_texts(texts, bans_of("texts")) == []


def test_every_exception_is_needed(modules: list[Module]) -> None:
    assert useless_exceptions(all_names(modules), BANS) == []


def test_every_path_that_a_document_names_exists() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in TEXTS}
    assert missing_paths(texts, ROOT) == []


# --- each check can fail

SMALL_PAGE = f"""
## Cart

{TERM_COLUMNS}
|---|---|---|---|---|---|
| cart | List. | `Cart`, `Cart.lines(first:)`, `cart` | `Cart`, `Cart.total`, `a/cart.py` | `carts` | Stripe |
| coupon | A code. | {NONE} | {NONE} | {NONE} | ours: short |

## {BANNED_SECTION}

{BANNED_COLUMNS}
|---|---|---|---|
| bell, bells | signal | names, texts | `door_bell`: a bell that rings |
| Wish | order request | classes | {NONE} |
"""
SMALL_SCHEMA = build_schema("""
type Query { cart(id: ID!): Cart }
type Cart { lines(first: Int!): [String!]! kind: Kind! }
enum Kind { GUEST }
type CartConnection { nodes: [Cart!]! }
input CartInput { id: ID! }
""")
SMALL_MODULE = parse_module(
    """
LIMIT = 1
class Cart:
    total: int
    def price(self) -> None:
        self.seen = 1
def find_cart(cart_id: int) -> None:
    log.info("cart.found", bells=2)
def test_a_bell() -> None: ...
""",
    Path("a/cart.py"),
)


def test_a_page_is_read_row_by_row() -> None:
    cart, coupon = read_terms(SMALL_PAGE)
    assert (cart.area, cart.term, cart.source) == ("Cart", "cart", "Stripe")
    assert cart.sdl == ("Cart", "Cart.lines(first:)", "cart")
    assert cart.code == ("Cart", "Cart.total", "a/cart.py")
    assert (coupon.sdl, coupon.tables) == ((), ())
    assert read_bans(SMALL_PAGE) == [
        Ban(frozenset({"bell", "bells"}), frozenset({"names", "texts"}), frozenset({"door_bell"})),
        Ban(frozenset({"Wish"}), frozenset({"classes"}), frozenset()),
    ]


@pytest.mark.parametrize(
    "name", ["Card", "Cart.line", "Cart.lines(last:)", "Kind.CUSTOMER", "CartInput.token"]
)
def test_a_name_that_is_not_in_the_schema_is_found(name: str) -> None:
    known = sdl_names(SMALL_SCHEMA)
    assert missing_names(read_terms(SMALL_PAGE)[0].sdl, known) == []
    assert missing_names([name], known) == [name]


def test_a_type_without_an_entry_is_found() -> None:
    assert types_to_explain(SMALL_SCHEMA) == {"Cart", "Kind"}
    assert missing_names(types_to_explain(SMALL_SCHEMA), {"Cart"}) == ["Kind"]


@pytest.mark.parametrize("name", ["Basket", "Cart.seen", "total", "a/order.py", "cart/"])
def test_a_name_that_is_not_in_the_code_is_found(name: str) -> None:
    known = code_names([SMALL_MODULE])
    assert {"Cart", "Cart.total", "Cart.price", "find_cart", "LIMIT", "a/", "a/cart.py"} <= known
    assert missing_names([name], known) == [name]


def test_a_table_without_a_row_a_row_without_a_table_and_another_model_are_found() -> None:
    terms = read_terms(SMALL_PAGE)
    assert wrong_tables(terms, {"carts": "Cart"}) == []
    assert wrong_tables(terms, {"carts": "Cart", "orders": "Order"}) == ["orders"]
    assert wrong_tables(terms, {}) == ["carts"]
    assert wrong_tables(terms, {"carts": "Basket"}) == ["carts"]


def test_a_name_in_two_rows_is_found() -> None:
    cart, coupon = read_terms(SMALL_PAGE)
    assert repeated_names([cart, coupon]) == []
    assert repeated_names([cart, cart]) == ["Cart", "cart", "carts"]


@pytest.mark.parametrize(
    "source",
    [
        "class BellRinger: ...",
        "def ring_the_bell(): ...",
        "def wait(bells): ...",
        "BELL = 1",
        "self.bell = 1",
        "log.info('bell.rung')",
        "for bell in all: ...",
    ],
)
def test_a_banned_word_in_a_name_is_found(source: str) -> None:
    bans = bans_of("names", read_bans(SMALL_PAGE))
    assert len(banned_names(all_names([parse_module(source, Path("a.py"))]), bans)) == 1


def test_a_banned_word_in_the_name_of_a_module_is_found() -> None:
    bans = bans_of("names", read_bans(SMALL_PAGE))
    module = parse_module("", Path("events/bell.py"))
    assert banned_names(all_names([module]), bans) == ["events/bell.py: bell"]


@pytest.mark.parametrize(
    "source", ["door_bell = 1", "belly = 1", "def test_a_bell(): ...", "'The bell rings.'"]
)
def test_an_exception_another_word_and_a_sentence_are_no_banned_names(source: str) -> None:
    bans = bans_of("names", read_bans(SMALL_PAGE))
    assert banned_names(all_names([parse_module(source, Path("a.py"))]), bans) == []


def test_a_banned_class_is_found_by_its_whole_name() -> None:
    bans = bans_of("classes", read_bans(SMALL_PAGE))
    module = parse_module("class Wish: ...\nclass WishList: ...", Path("a.py"))
    assert banned_classes(class_names([module]), bans) == ["a.py: Wish"]


def test_a_banned_word_in_a_text_is_found() -> None:
    bans = bans_of("texts", read_bans(SMALL_PAGE))
    assert banned_texts({"a.md": "Signals.\nBelly, Bell."}, bans) == ["a.md:2: bell"]


def test_an_exception_that_nothing_needs_is_found() -> None:
    bans = read_bans(SMALL_PAGE)
    assert useless_exceptions([("a.py", "door_bell")], bans) == []
    assert useless_exceptions([("a.py", "door")], bans) == ["door_bell"]


def test_a_path_that_does_not_exist_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "cart.py").touch()
    text = "`a/`, `a/cart.py`, `a/order.py`, `cart/`, `cart.py`, `GET /cart`"
    assert missing_paths({"a.md": text}, tmp_path) == ["a.md: a/order.py", "a.md: cart/"]
