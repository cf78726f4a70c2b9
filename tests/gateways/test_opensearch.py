"""An index in OpenSearch: a server that is slow, refuses or is lost, and several machines that write."""

from collections.abc import AsyncIterator, Sequence

import pytest
import structlog
from structlog.testing import capture_logs

from gateways.circuit import FAILURES_LIMIT
from gateways.search import (
    EmbeddedIndex,
    IndexDocument,
    IndexLayout,
    IndexQuery,
    OpenSearchIndex,
    SearchRefused,
    SearchUnavailable,
)
from gateways.search.opensearch import SearchApi
from gateways.search.opensearch.answers import Acknowledged
from gateways.search.opensearch.api import NewerThere, NotThere
from gateways.search.opensearch.lease import LEASE_SECONDS
from tests.gateways.test_search_index import ALL, LAYOUT, THINGS, fill, thing, word
from tests.search_engine import SearchEngine, open_search_api, open_search_index

SHORT = 0.2
PASSWORD = "hunter-2/?"


@pytest.fixture
async def api(engine: SearchEngine) -> AsyncIterator[SearchApi]:
    async with open_search_api(engine.url) as api:
        yield api


@pytest.fixture
async def index(api: SearchApi) -> OpenSearchIndex:
    index = OpenSearchIndex(LAYOUT, api)
    await fill(index, THINGS)
    return index


class StoppedClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def write(index: OpenSearchIndex, documents: Sequence[IndexDocument], position: str) -> bool:
    async with index.writing() as is_writer:
        if is_writer:
            await index.write(documents, [], position=position)
        return is_writer


# --- faults


@pytest.mark.parametrize("fault", ["429", "503", "500", "broken"])
async def test_a_server_that_errs_is_unavailable_and_asked_again(
    index: OpenSearchIndex, engine: SearchEngine, fault: str
) -> None:
    engine.control("fault", path="_search", fault=fault)

    with pytest.raises(SearchUnavailable):
        await index.count(ALL)

    assert await index.count(ALL) == 5


async def test_a_question_waits_for_a_short_time_only(index: OpenSearchIndex, engine: SearchEngine) -> None:
    index.api.query_seconds = SHORT
    engine.control("fault", path="_search", fault="slow")

    with pytest.raises(SearchUnavailable, match=r"^count takes longer than 0\.2 s$"):
        await index.count(ALL)


async def test_a_server_that_does_not_answer_is_left_alone(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    engine.control("fault", path="_search", fault="503", times=FAILURES_LIMIT + 1)
    for _ in range(FAILURES_LIMIT):
        with pytest.raises(SearchUnavailable, match="HTTP 503"):
            await index.count(ALL)

    with pytest.raises(SearchUnavailable, match=r"^opensearch has not answered for some time$"):
        await index.count(ALL)

    assert len(engine.control("fault", path="", fault="", times=0)["faults"]) == 1


async def test_calls_are_counted_by_what_they_ask_and_how_they_end(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    calls = index.api.observer.metrics.gateway_calls
    engine.control("fault", path="_search", fault="503")
    engine.control("fault", path="_search", fault="400")
    for _ in range(2):
        with pytest.raises(SearchUnavailable):
            await index.count(ALL)
    await index.count(ALL)

    outcomes = {
        outcome: sum(calls.at("search", "opensearch", "count", outcome).counts) for outcome in OUTCOMES
    }
    assert outcomes == {"ok": 1, "refused": 1, "failed": 1}


OUTCOMES = ("ok", "refused", "failed")


async def test_a_refused_password_is_in_no_message(engine: SearchEngine) -> None:
    engine.control("credentials", credentials=f"shop:{PASSWORD}")
    right, wrong = "hunter-2%2F%3F", "hunter-3"

    async with open_search_api(engine.url.replace("//", f"//shop:{right}@")) as api:
        assert (await api.read_banner()).version.distribution == "opensearch"
        assert right not in repr(api)
        assert PASSWORD not in repr(api)
    async with open_search_api(engine.url.replace("//", f"//shop:{wrong}@")) as api:
        with pytest.raises(SearchRefused) as refused:
            await api.read_banner()

    assert str(refused.value) == "banner: HTTP 401"
    assert wrong not in repr(refused.value.__context__)


# --- refused documents


async def test_documents_that_the_server_is_too_busy_for_are_sent_again(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    engine.control("items", statuses=[429, 200, 503, 429])

    assert await write(index, [thing(6, "bowl"), thing(7, "bowl"), thing(8, "bowl")], "p2")

    assert (await index.count(ALL), await index.position()) == (8, "p2")


async def test_the_position_stays_where_documents_are_not_taken(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    engine.control("items", statuses=[429] * 3)

    with pytest.raises(SearchUnavailable, match=r"^bulk: 1 documents were not taken$"):
        await write(index, [thing(6, "bowl")], "p2")

    assert (await index.count(ALL), await index.position()) == (5, "p1")
    assert await write(index, [thing(6, "bowl")], "p2")
    assert (await index.count(ALL), await index.position()) == (6, "p2")


async def test_a_document_that_is_refused_for_what_it_is_stops_no_other(index: OpenSearchIndex) -> None:
    structlog.contextvars.clear_contextvars()
    with capture_logs() as logs:
        assert await write(index, [thing(6, "bowl", price=2**63), thing(7, "jug")], "p2")

    assert await index.position() == "p2"
    assert await index.frequencies(["bowl", "jug"]) == {"jug": 1}
    (entry,) = [each for each in logs if each["event"] == "search.document_refused"]
    assert (entry["index"], entry["id"], entry["error"]) == ("things", "6", "mapper_parsing_exception")


# --- loss


async def test_an_index_that_is_lost_is_not_made_by_writing_to_it(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    engine.control("lose")

    with pytest.raises(NotThere):
        await write(index, [thing(6, "bowl")], "p2")

    assert [each for each in engine.control("none")["indexes"] if "things" in each] == []
    with pytest.raises(SearchUnavailable):
        await index.count(ALL)
    assert (await index.can_answer(), await index.position()) == (False, None)
    await fill(index, THINGS[:2], position="p3")
    assert (await index.count(ALL), await index.position()) == (2, "p3")


async def test_a_lost_lease_does_not_lock_writers_out(index: OpenSearchIndex) -> None:
    await index.api.change(Acknowledged, "test", "DELETE", "/cartwheel-writers")

    assert await write(index, [thing(6, "bowl")], "p2")
    assert await index.position() == "p2"


async def test_what_builders_left_is_deleted_and_the_last_version_stays(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    first = {name for name, aliases in engine.control("none")["indexes"].items() if index.alias in aliases}
    await index.create(f"{index.alias}-left")
    later, latest = (
        OpenSearchIndex(IndexLayout("things", version=each, texts=("title",)), index.api) for each in (2, 3)
    )

    await fill(later, [])
    assert first < set(engine.control("none")["indexes"])
    await fill(index, THINGS)
    assert first.isdisjoint(engine.control("none")["indexes"])
    await fill(latest, [])

    names = [name for name in engine.control("none")["indexes"] if "things" in name]
    assert sorted(name.partition("things-")[2][:3] for name in names) == ["1.2", "1.3"]


async def test_two_indexes_of_one_alias_are_replaced_by_one(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    await index.create(f"{index.alias}-second")
    add = {"add": {"index": f"{index.alias}-second", "alias": index.alias}}
    await index.api.change(Acknowledged, "test", "POST", "/_aliases", {"actions": [add]})

    assert await index.position() is None
    await fill(index, THINGS, position="p4")

    assert await index.position() == "p4"
    assert len([name for name in engine.control("none")["indexes"] if "things" in name]) == 1


# --- several machines


async def test_one_of_several_machines_writes_and_the_others_read(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    async with open_search_api(engine.url) as there:
        other = OpenSearchIndex(LAYOUT, there)
        async with index.writing() as is_writer, other.writing() as is_writer_too:
            assert (is_writer, is_writer_too) == (True, False)
            await index.write([thing(6, "bowl")], [], position="p2")

        assert (await other.position(), await other.count(ALL)) == ("p2", 6)
        assert await write(other, [thing(7, "bowl")], "p3")
        assert (await index.position(), await index.count(ALL)) == ("p3", 7)


async def test_a_machine_that_was_killed_while_it_wrote_is_followed_by_another(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    assert await index.lease.acquire()  # and never released
    async with open_search_api(engine.url) as there:
        other = OpenSearchIndex(LAYOUT, there)
        assert await other.position() == "p1"
        other.lease.clock = clock = StoppedClock()
        assert not await write(other, [thing(6, "bowl")], "p2")
        clock.now += LEASE_SECONDS / 2
        await index.lease.renew()
        assert not await write(other, [thing(6, "bowl")], "p2")
        clock.now += LEASE_SECONDS / 2
        assert not await write(other, [thing(6, "bowl")], "p2")
        clock.now += LEASE_SECONDS / 2

        assert await write(other, [thing(6, "bowl")], "p2")


async def test_a_machine_that_wakes_up_late_overwrites_nothing(
    index: OpenSearchIndex, engine: SearchEngine
) -> None:
    assert await index.lease.acquire()
    async with open_search_api(engine.url) as there:
        other = OpenSearchIndex(LAYOUT, there)
        other.lease.lease_seconds = 0.0
        assert await other.position() == "p1"
        assert await write(other, [thing(1, "new tea")], "p2")

        with pytest.raises(NewerThere):
            await index.write([thing(1, "old tea")], [], position="p1b")
        with pytest.raises(NewerThere):
            await index.note_position(f"{index.current}", "p1b")
        with pytest.raises(NewerThere):
            await index.build(nothing(), position="p1c")

        assert (await other.position(), await other.frequencies(["old", "new"])) == ("p2", {"new": 1})


async def nothing() -> AsyncIterator[Sequence[IndexDocument]]:
    yield []


async def test_shops_with_prefixes_of_their_own_share_a_server(engine: SearchEngine) -> None:
    async with (
        open_search_index(LAYOUT, engine.url) as one,
        open_search_index(LAYOUT, engine.url) as other,
    ):
        await fill(one, THINGS)
        assert await other.position() is None
        await fill(other, THINGS[:1])

        assert (await one.count(IndexQuery()), await other.count(IndexQuery())) == (5, 1)


@pytest.mark.parametrize("version", ["2.19.0", "3.1.0"])
async def test_words_weigh_the_same_whatever_the_version_of_the_server(
    engine: SearchEngine, api: SearchApi, version: str
) -> None:
    engine.control("version", version=version)
    index = OpenSearchIndex(LAYOUT, api)
    await fill(index, THINGS)

    embedded = EmbeddedIndex(LAYOUT)
    await fill(embedded, THINGS)
    query = IndexQuery(word("tea", boosts={"title": 2.0}))

    here, there = await index.rank(query, limit=9), await embedded.rank(query, limit=9)

    assert [hit.id for hit in here] == [hit.id for hit in there] == [2, 1]
    assert [hit.key for hit in here] == pytest.approx([hit.key for hit in there], rel=1e-5)
