"""An operation that takes too long, or whose client has gone, is stopped: its tasks and its SQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from asyncpg import ConnectionDoesNotExistError
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from edge.graphql.answer import OperationFailed
from edge.graphql.deadline import run_within
from events.shop import Shop
from loaders.base import Grouped
from models import Account, Verification
from models.database import Database
from models.sql.prepared import driver_connection
from resolvers.context import Context, Viewer
from resolvers.execution import Execution
from tests.clients import Clients
from tests.conftest import NEVER
from tests.edge.graphql.transports import EVERY_TRANSPORT, Transport, open_http
from tests.factories.account import create_account
from tests.observe import wait_until

DEADLINE = 1.0
LEAVING_SECONDS = 20.0
"""How long the server may take to stop what nobody waits for any more: less than the statements take."""
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000000)"
    " SELECT COUNT(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}
"""Statements that take about a minute."""

RUNNING = (
    "SELECT COUNT(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'"
)
CATEGORIES = "{ categories { slug } }"


pytestmark = pytest.mark.settings(operation_deadline=DEADLINE)


class SlowLoader(Grouped[int, int]):
    """Loads with a statement that takes a minute."""

    async def group(self, session: AsyncSession, keys: list[int]) -> dict[int, int]:
        await session.execute(text(SLOW[session.get_bind().dialect.name]))
        return dict.fromkeys(keys, 0)

    def default(self) -> int:
        return 0


async def read_by_session(context: Context) -> None:
    async with context.shop.database.reads() as session:
        await session.execute(text(SLOW[context.shop.database.dialect]))


async def read_by_driver(context: Context) -> None:
    async with driver_connection(context.shop.database.reads) as connection:
        await connection.fetch(SLOW[context.shop.database.dialect], ())


async def read_by_loader(context: Context) -> None:
    await SlowLoader(context.load).load(1)


async def write_in_transaction(context: Context) -> None:
    async with context.transaction() as session:
        await create_account(session)
        await session.execute(text(SLOW[context.shop.database.dialect]))


def context_of(shop: Shop) -> Context:
    locale = shop.settings.locale
    return Context(shop, Viewer(language="en", currency=locale.default_currency))


async def assert_nothing_runs(shop: Shop) -> None:
    """All connections are back in the pool and serve; the server executes none of the slow statements."""
    await wait_until(lambda: shop.database.connections_in_use == 0)
    for sessions in (shop.database.reads, shop.database.writes):
        async with sessions() as session:
            assert await session.scalar(select(func.count()).select_from(Account)) == 0
    if shop.database.dialect == "postgresql":
        # The server learns of a cancelled statement by a message of its own, a moment later.
        await wait_until_server_rests(shop.database)


async def wait_until_server_rests(database: Database) -> None:
    async with asyncio.timeout(LEAVING_SECONDS):
        while await count_running(database):
            await asyncio.sleep(0.01)


async def count_running(database: Database) -> int:
    """Each look is a transaction of its own: within one, the server tells always what it told first."""
    async with database.reads() as session:
        return await session.scalar(text(RUNNING)) or 0


@pytest.mark.parametrize("work", [read_by_session, read_by_driver, read_by_loader, write_in_transaction])
async def test_at_the_deadline_the_statement_ends_and_nothing_is_written(
    shop: Shop, work: Callable[[Context], Coroutine[object, object, None]]
) -> None:
    context = context_of(shop)
    with pytest.raises(OperationFailed) as failed:
        async with asyncio.timeout(20):
            await run_within(DEADLINE, work(context), context.execution)

    assert failed.value.errors[0].extensions == {"code": "DEADLINE_EXCEEDED"}
    await assert_nothing_runs(shop)


async def test_a_cancelled_operation_ends_as_at_its_deadline(shop: Shop) -> None:
    context = context_of(shop)
    task = asyncio.create_task(run_within(60, read_by_loader(context), context.execution))
    await wait_until(lambda: shop.database.connections_in_use == 1)
    task.cancel()
    async with asyncio.timeout(20):
        await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()
    await assert_nothing_runs(shop)


async def test_a_statement_whose_connection_was_closed_ends_at_the_server(new_postgres_url: str) -> None:
    database = Database.open(new_postgres_url, pool_size=2)
    async with driver_connection(database.reads) as connection:
        statement = asyncio.create_task(connection.driver.fetch(SLOW["postgresql"]))
        async with asyncio.timeout(LEAVING_SECONDS):
            while not await count_running(database):
                await asyncio.sleep(0.01)
        connection.driver.terminate()
        with pytest.raises(ConnectionDoesNotExistError):
            await statement
    await wait_until_server_rests(database)
    await database.close()


async def test_what_begins_after_the_deadline_loads_nothing(shop: Shop) -> None:
    context = context_of(shop)
    context.execution.batches.cancel()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await context.load.account.load(1)

    assert shop.database.connections_in_use == 0


async def test_a_commit_that_has_begun_is_finished() -> None:
    execution, steps = Execution(), []

    async def commit_slowly() -> None:
        with execution.committing():
            steps.append("began")
            await asyncio.sleep(0.2)
            steps.append("committed")
        await asyncio.sleep(60)

    with pytest.raises(OperationFailed):
        await run_within(0.05, commit_slowly(), execution)

    assert steps == ["began", "committed"]


@asynccontextmanager
async def blocked_writes(shop: Shop) -> AsyncIterator[None]:
    """Nobody can write while the block runs: the one writer of SQLite is taken, or the table is locked."""
    async with shop.database.writes.begin() as session:
        lock = "LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"
        await session.execute(text(lock if shop.database.dialect == "postgresql" else "SELECT 1"))
        yield


REGISTER = """mutation {
  accountRegister(input: { name: "Emma", password: "long enough", email: "a@b.example" }) {
    userErrors { code }
  }
}"""


async def count_registrations(shop: Shop) -> int:
    """How many registrations wait for the code that was sent."""
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(Verification)) or 0


@pytest.mark.parametrize("transport", EVERY_TRANSPORT.values(), ids=EVERY_TRANSPORT)
async def test_over_each_transport_the_deadline_is_told(clients: Clients, transport: Transport) -> None:
    async with blocked_writes(clients.shop):
        [answer] = await transport(clients, REGISTER)

    assert list(answer) == ["errors"]
    assert answer["errors"][0]["extensions"] == {"code": "DEADLINE_EXCEEDED"}
    assert await count_registrations(clients.shop) == 0


@contextmanager
def slow_reads(shop: Shop) -> Iterator[list[object]]:
    """During the block, each statement that a session reads with takes a minute; those that have begun."""
    begun: list[object] = []

    def replace_statement(*statement: object) -> tuple[str, tuple[()]]:
        begun.append(statement)
        return SLOW[shop.database.dialect], ()

    engine = shop.database.readers.sync_engine
    event.listen(engine, "before_cursor_execute", replace_statement, retval=True)
    try:
        yield begun
    finally:
        event.remove(engine, "before_cursor_execute", replace_statement)


async def leave_while(clients: Clients, query: str, is_running: Callable[[], object]) -> None:
    """Send an operation, and close the connection as soon as it is running; the server has seen it then."""
    async with open_http(clients) as http:
        request = asyncio.create_task(http.post("/graphql", json={"query": query}))
        await wait_until(is_running)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
    assert clients.server
    state = clients.server.server_state
    async with asyncio.timeout(LEAVING_SECONDS):
        await wait_until(lambda: not state.connections and not state.tasks)


@pytest.mark.settings(operation_deadline=NEVER)
async def test_the_statement_of_a_query_ends_when_its_client_closes_the_connection(clients: Clients) -> None:
    shop = clients.shop
    assert await clients.guest().get(CATEGORIES) == {"categories": []}
    with slow_reads(shop) as begun:
        await leave_while(clients, CATEGORIES, lambda: begun)
        async with asyncio.timeout(LEAVING_SECONDS):
            await wait_until(lambda: shop.database.connections_in_use == 0)

    await assert_nothing_runs(shop)


@pytest.mark.settings(operation_deadline=NEVER)
async def test_a_mutation_is_finished_once_though_its_client_has_closed_the_connection(
    clients: Clients,
) -> None:
    shop, unfinished = clients.shop, clients.app.state.graphql.operations.unfinished
    async with blocked_writes(shop):
        await leave_while(clients, REGISTER, lambda: unfinished)
        assert len(unfinished) == 1
    await wait_until(lambda: not unfinished)

    assert await count_registrations(shop) == 1


async def test_an_answer_above_the_limit_is_not_sent(clients: Clients) -> None:
    many = " ".join(f"a{n}: __typename" for n in range(20))
    for transport in EVERY_TRANSPORT.values():
        limited = clients.shop.settings.graphql.model_copy(update={"answer_bytes": 200})
        clients.shop.settings = clients.shop.settings.model_copy(update={"graphql": limited})
        [answer] = await transport(clients, f"{{ viewer {{ {many} }} }}")

        assert list(answer) == ["errors"]
        assert answer["errors"][0]["extensions"] == {"code": "RESPONSE_TOO_LARGE"}
    assert (await clients.http.post("/graphql", json={"query": "{ viewer { role } }"})).status_code == 200
