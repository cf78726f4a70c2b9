"""What every search index does: in memory, in a folder, in a server that speaks as OpenSearch does, and in
the OpenSearch that TEST_SEARCH_URL names.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from gateways.search import (
    Alternative,
    EmbeddedIndex,
    FieldRange,
    IdFilter,
    IndexDocument,
    IndexLayout,
    IndexOrder,
    IndexQuery,
    KeywordFilter,
    NumberFilter,
    SearchIndex,
    TextQuery,
    ValueCount,
)
from tests.search_engine import REAL_ENGINE, open_search_index

LAYOUT = IndexLayout(
    "things",
    version=1,
    texts=("title", "body"),
    phrases=("letters",),
    keywords=("code", "state"),
    counted=("colour",),
    numbers=("price", "weight"),
    states={"state": ("shown", "hidden", "old")},
)
CHEAPEST = IndexOrder("price")
ALL = IndexQuery()


def thing(
    id: int, title: str = "", *, price: int = 0, colours: Sequence[str] = (), **more: str
) -> IndexDocument:
    return IndexDocument(
        id,
        texts={"title": title, "body": more.get("body", ""), "letters": " ".join(title)},
        keywords={
            "colour": colours,
            "code": (more["code"],) if "code" in more else (),
            "state": (more.get("state", "shown"),),
        },
        numbers={"price": [price], "weight": [id, 10 * id]},
        words=[*title.split(), *more.get("code", "").split()],
        typed=title.split(),
    )


THINGS = [
    thing(1, "green tea", price=5, colours=("green", "light")),
    thing(2, "black tea", price=5, colours=("black",), body="green leaves"),
    thing(3, "teapot", price=9, colours=("black",), code="x1", state="hidden"),
    thing(4, "desk lamp for a long evening", price=2, body="tea"),
    thing(5, "lamp", price=5, state="old"),
]


@pytest.fixture(params=["memory", "folder", "server", *(["real"] if REAL_ENGINE else [])])
async def empty_index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SearchIndex]:
    match request.param:
        case "memory":
            yield EmbeddedIndex(LAYOUT)
        case "folder":
            yield EmbeddedIndex(LAYOUT, tmp_path / "search")
        case kind:
            url = REAL_ENGINE if kind == "real" else request.getfixturevalue("search_engine")
            async with open_search_index(LAYOUT, url) as index:
                yield index


@pytest.fixture
async def index(empty_index: SearchIndex) -> SearchIndex:
    await fill(empty_index, THINGS)
    return empty_index


async def fill(index: SearchIndex, documents: Sequence[IndexDocument], position: str = "p1") -> None:
    async def batches() -> AsyncIterator[Sequence[IndexDocument]]:
        yield documents[:2]
        yield documents[2:]

    async with index.writing() as is_writer:
        assert is_writer
        await index.build(batches(), position=position)


def word(*terms: str, boosts: Mapping[str, float] | None = None, is_prefix: bool = False) -> TextQuery:
    fields = boosts or {"title": 2.0, "body": 0.5}
    return TextQuery(tuple((Alternative((term,), fields, is_prefix),) for term in terms))


async def ranked(index: SearchIndex, text: TextQuery, *filters: KeywordFilter) -> list[int]:
    return [hit.id for hit in await index.rank(IndexQuery(text, filters), limit=10)]


async def test_all_words_must_match_and_a_word_of_a_short_title_counts_most(index: SearchIndex) -> None:
    assert await ranked(index, word("tea")) == [2, 1, 4]
    assert await ranked(index, word("green", "tea")) == [1, 2]
    assert await ranked(index, word("lamp")) == [5, 4]
    assert await ranked(index, word("nothing")) == []


async def test_some_of_the_words_are_enough_where_so_many_are_asked_for(index: SearchIndex) -> None:
    words = word("green", "tea", "lamp").clauses

    assert await ranked(index, TextQuery(words)) == []
    assert sorted(await ranked(index, TextQuery(words, minimum=2))) == [1, 2, 4]


async def test_optional_words_only_rank(index: SearchIndex) -> None:
    tea, green = word("tea").clauses[0], word("green").clauses[0]

    assert await ranked(index, TextQuery((tea,), minimum=1)) == [2, 1, 4]
    assert await ranked(index, TextQuery((tea,), minimum=1, optional=(green,))) == [1, 2, 4]


async def test_a_ranking_gives_the_numbers_that_are_asked_for(index: SearchIndex) -> None:
    hits = await index.rank(IndexQuery(word("tea")), limit=2, numbers=("price", "weight"))

    assert [(hit.id, hit.numbers[0]) for hit in hits] == [(2, 5), (1, 5)]


async def test_the_best_alternative_of_a_word_counts(index: SearchIndex) -> None:
    exact, other = Alternative(("teapot",), {"title": 1.0}), Alternative(("green",), {"title": 0.1})

    assert await ranked(index, TextQuery(((exact, other),))) == [3, 1]


async def test_unfinished_words_and_phrases_are_found(index: SearchIndex) -> None:
    assert sorted(await ranked(index, word("tea", is_prefix=True))) == [1, 2, 3, 4]
    letters = {"letters": 1.0}
    assert await ranked(index, TextQuery(((Alternative(("p", "o", "t"), letters),),))) == [3]
    assert await ranked(index, TextQuery(((Alternative(("t", "o", "p"), letters),),))) == []
    assert await ranked(index, word("t.a", ".*", is_prefix=True)) == []


async def test_a_code_is_found_without_the_words_and_comes_first(index: SearchIndex) -> None:
    text = TextQuery(word("lamp").clauses, code=KeywordFilter("code", ("x1",)))

    assert await ranked(index, text) == [3, 5, 4]


async def test_filters_do_not_change_the_score(index: SearchIndex) -> None:
    (unfiltered,) = await index.rank(IndexQuery(word("teapot")), limit=1)
    (filtered,) = await index.rank(
        IndexQuery(word("teapot"), (KeywordFilter("colour", ("black", "red")), NumberFilter("price", 1))),
        limit=1,
    )

    assert filtered == unfiltered


@pytest.mark.parametrize(
    ("states", "all_found", "lamps"),
    [
        (("shown",), [1, 2, 4], [4]),
        (("shown", "old"), [1, 2, 4, 5], [5, 4]),
        (("hidden", "old", "shown"), [1, 2, 3, 4, 5], [5, 4]),
        ((), [], []),
        (("unknown",), [], []),
    ],
)
async def test_documents_are_found_by_their_state(
    index: SearchIndex, states: tuple[str, ...], all_found: list[int], lamps: list[int]
) -> None:
    state = KeywordFilter("state", states)
    listed = await index.list_ordered(IndexQuery(filters=(state,)), IndexOrder("id"), limit=9)
    lamp = await index.rank(IndexQuery(word("lamp"), (state,)), limit=9)
    lamp_in_any_state = {hit.id: hit for hit in await index.rank(IndexQuery(word("lamp")), limit=9)}

    assert [hit.id for hit in listed] == all_found
    assert await index.count(IndexQuery(filters=(state,))) == len(all_found)
    assert [hit.id for hit in lamp] == lamps
    assert all(hit == lamp_in_any_state[hit.id] for hit in lamp)
    under_five = IndexQuery(filters=(state, NumberFilter("price", None, 4)))
    assert await index.count(under_five) == (1 if "shown" in states else 0)


async def test_filters_are_combined(index: SearchIndex) -> None:
    async def found(*filters: KeywordFilter | NumberFilter | IdFilter) -> int:
        return await index.count(IndexQuery(filters=filters))

    assert await found() == 5
    assert await found(KeywordFilter("colour", ("black", "light"))) == 3
    assert await found(KeywordFilter("colour", ("black",)), NumberFilter("price", 6, None)) == 1
    assert await found(NumberFilter("weight", 20, 30)) == 2
    assert await found(NumberFilter("price", None, 4)) == 1
    assert await found(IdFilter((1, 5, 99))) == 2
    assert await found(IdFilter(())) == 0
    assert await found(KeywordFilter("colour", ())) == 0


async def test_an_order_goes_on_after_any_document_whatever_has_the_same_number(index: SearchIndex) -> None:
    async def pages(order: IndexOrder, size: int) -> list[int]:
        found: list[int] = []
        after = None
        while hits := await index.list_ordered(ALL, order, limit=size, after=after):
            found += [hit.id for hit in hits]
            after = (int(hits[-1].key), hits[-1].id)
        return found

    for size in (1, 2, 3, 5, 9):
        assert await pages(CHEAPEST, size) == [4, 1, 2, 5, 3]
        assert await pages(CHEAPEST.reversed, size) == [3, 5, 2, 1, 4]


async def test_values_are_counted_the_most_frequent_first(index: SearchIndex) -> None:
    figures = await index.figures(
        IndexQuery(word("tea", is_prefix=True)),
        (ValueCount("colour", 2), ValueCount("colour", 9, "li")),
        ("price", "weight"),
    )

    assert figures.counts == [[("black", 2), ("green", 1)], [("light", 1)]]
    assert figures.ranges == {"price": FieldRange(2, 9), "weight": FieldRange(1, 40)}
    nothing = await index.figures(IndexQuery(word("nothing")), (ValueCount("colour", 2),), ("price",))
    assert (nothing.counts, nothing.ranges) == ([[]], {})


async def test_the_words_of_the_documents_are_known(index: SearchIndex) -> None:
    assert await index.frequencies(["tea", "lamp", "none"]) == {"tea": 2, "lamp": 2}
    assert await index.completions("te", limit=5) == [("tea", 2), ("teapot", 1)]
    assert await index.completions("tea", limit=5) == [("teapot", 1)]
    assert await index.frequencies(["x1"]) == {"x1": 1}
    assert await index.completions("x", limit=5) == []
    assert await index.corrections("lmap", limit=3) == [("lamp", 2)]
    assert await index.corrections("lmpa", limit=3) == []
    assert await index.corrections("taepo", limit=3, is_prefix=True) == [("teapot", 1)]
    assert await index.document_count() == 5


async def test_a_document_is_replaced_and_deleted(index: SearchIndex) -> None:
    async with index.writing():
        await index.write([thing(5, "lantern")], [1, 99], position="p2")

    assert await index.position() == "p2"
    assert await ranked(index, word("lamp")) == [4]
    assert await ranked(index, word("lantern")) == [5]
    assert [hit.id for hit in await index.list_ordered(ALL, IndexOrder("id"), limit=9)] == [2, 3, 4, 5]
    assert await index.frequencies(["green"]) == {}


async def test_an_index_of_nothing_finds_nothing(empty_index: SearchIndex) -> None:
    index = empty_index
    assert (await index.can_answer(), await index.position()) == (False, None)
    await fill(index, [])
    assert (await index.can_answer(), await index.position()) == (True, "p1")
    assert (await index.count(ALL), list(await index.rank(ALL, limit=5))) == (0, [])
    figures = await index.figures(ALL, (ValueCount("colour", 2),), ("price",))
    assert (list(map(list, figures.counts)), figures.ranges) == ([[]], {})


async def test_another_process_reads_what_was_written_and_one_at_a_time_writes(tmp_path: Path) -> None:
    writer, reader = EmbeddedIndex(LAYOUT, tmp_path), EmbeddedIndex(LAYOUT, tmp_path)
    await fill(writer, THINGS)
    assert (await reader.position(), await reader.count(ALL)) == ("p1", 5)

    async with writer.writing() as is_writer, reader.writing() as is_writer_too:
        assert (is_writer, is_writer_too) == (True, False)
        await writer.write([thing(6, "bowl")], [], position="p2")

    assert (await reader.position(), await reader.count(ALL)) == ("p2", 6)


async def test_a_folder_that_is_deleted_or_of_another_version_is_built_anew(tmp_path: Path) -> None:
    index = EmbeddedIndex(LAYOUT, tmp_path)
    await fill(index, THINGS)
    place = index.place
    assert place is not None
    (place / "position").unlink()

    assert await index.position() is None
    assert await index.count(ALL) == 5
    await fill(index, THINGS[:3], position="p3")
    assert (await index.position(), await index.count(ALL)) == ("p3", 3)

    later = EmbeddedIndex(IndexLayout("things", version=2), tmp_path)
    assert await later.position() is None


async def test_a_new_index_replaces_the_former_one_whole(index: SearchIndex) -> None:
    seen: list[int] = []

    async def batches() -> AsyncIterator[Sequence[IndexDocument]]:
        for each in (thing(7, "bowl"), thing(8, "jug")):
            yield [each]
            seen.append(await index.count(ALL))

    async with index.writing():
        await index.build(batches(), position="p9")

    assert seen == [5, 5]
    assert await index.position() == "p9"
    assert [hit.id for hit in await index.list_ordered(ALL, IndexOrder("id"), limit=9)] == [7, 8]
    assert await index.completions("te", limit=5) == []


async def test_a_build_that_fails_leaves_the_former_index(index: SearchIndex) -> None:
    async def batches() -> AsyncIterator[Sequence[IndexDocument]]:
        yield [thing(7, "bowl")]
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        async with index.writing():
            await index.build(batches(), position="p9")

    assert (await index.position(), await index.count(ALL)) == ("p1", 5)


async def test_signs_in_values_and_words_mean_nothing(empty_index: SearchIndex) -> None:
    signs = 'a.*|(b)[c]{d}?+#~&@<e>"f\\'
    await fill(
        empty_index, [thing(1, f"x{signs}y", colours=(signs, f"{signs}!")), thing(2, "xay", colours=("a",))]
    )

    assert await empty_index.completions(f"x{signs}", limit=5) == [(f"x{signs}y", 1)]
    (found,) = (await empty_index.figures(ALL, (ValueCount("colour", 5, signs),))).counts
    assert found == [(signs, 1), (f"{signs}!", 1)]
    assert await empty_index.count(IndexQuery(filters=(KeywordFilter("colour", (signs,)),))) == 1
    assert await empty_index.frequencies([f"x{signs}y", "xay", signs]) == {f"x{signs}y": 1, "xay": 1}


async def test_large_numbers_are_exact(empty_index: SearchIndex) -> None:
    documents = [thing(each, "cup", price=2**62 + each) for each in (1, 2, 3)]
    await fill(empty_index, documents)

    first = await empty_index.list_ordered(ALL, CHEAPEST, limit=1)
    rest = await empty_index.list_ordered(ALL, CHEAPEST, limit=5, after=(2**62 + 1, 1))

    assert [hit.id for hit in first] == [1]
    assert [hit.id for hit in rest] == [2, 3]


async def test_many_small_writes_do_not_leave_as_many_segments(index: SearchIndex) -> None:
    for number in range(30):
        async with index.writing():
            await index.write([thing(100 + number, "cup")], [], position=f"p{number}")

    if isinstance(index, EmbeddedIndex):
        assert index.opened is not None
        assert index.opened.searcher().num_segments < 20
    assert await index.count(IndexQuery(word("cup"))) == 30


async def test_what_is_counted_follows_each_change(index: SearchIndex) -> None:
    text = TextQuery(((Alternative(("tea",), {"title": 2.0}, anywhere=True),),))
    colours = (ValueCount("colour", 9),)
    before = [await index.count(IndexQuery(text)) for _ in range(2)]
    values = [(await index.figures(IndexQuery(text), colours)).counts[0] for _ in range(2)]

    async with index.writing():
        await index.write([thing(6, "white tea", colours=("white",))], [2], position="p2")

    assert (before, await index.count(IndexQuery(text))) == ([2, 2], 2)
    assert [list(each) for each in values] == [[("black", 1), ("green", 1), ("light", 1)]] * 2
    assert list((await index.figures(IndexQuery(text), colours)).counts[0]) == [
        ("green", 1),
        ("light", 1),
        ("white", 1),
    ]
