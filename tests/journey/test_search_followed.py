"""A change is found in every process of a machine, whoever is killed and though the index is deleted."""

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update

from gateways.search.embedded.index import FORMAT
from loaders.search import ARTICLE_LAYOUT, PRODUCT_LAYOUT
from models import Product
from models.database import Database
from tests.journey.device import wait_until
from tests.observe import TIMEOUT_SECONDS
from tests.process import Process, process_environment, serve_shop

FIND = "query ($query: String!) { products(query: $query, first: 5) { nodes { title } } }"


async def titles(process: Process, query: str) -> list[str]:
    body: dict[str, Any] = {"query": FIND, "variables": {"query": query}}
    async with httpx.AsyncClient(base_url=process.url, timeout=TIMEOUT_SECONDS) as http:
        reply = (await http.post("/graphql", json=body)).json()
    return [node["title"] for node in reply["data"]["products"]["nodes"]]


async def test_processes_of_one_machine_follow_changes_whoever_of_them_is_killed(
    demo_postgres_url: str, tmp_path: Path
) -> None:
    env, log = process_environment(demo_postgres_url, tmp_path), tmp_path / "serve.log"
    index = tmp_path / "var" / "search"
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(serve_shop(env, log))
        other = await stack.enter_async_context(serve_shop(env, log))

        async def all_find(title: str, *processes: Process) -> None:
            await rename_a_product(demo_postgres_url, title)
            for process in processes:

                async def finds(process: Process = process) -> bool:
                    return await titles(process, title) == [title]

                await wait_until(f"{title} is found", finds)

        await all_find("Zimbelstern", one, other)
        one.kill()
        await all_find("Quarkstrudel", other)
        shutil.rmtree(index)
        await all_find("Wurlitzer", other)
        again = await stack.enter_async_context(serve_shop(env, log))
        await all_find("Xylophonist", again, other)

    names = {f"{layout.name}-{FORMAT}.{layout.version}" for layout in (PRODUCT_LAYOUT, ARTICLE_LAYOUT)}
    assert {each.name for each in index.iterdir() if each.is_dir()} == names


async def rename_a_product(url: str, title: str) -> None:
    database = Database.open(url, pool_size=1)
    async with database.writes.begin() as session:
        await session.execute(update(Product).where(Product.id == 1).values(title=title, translations={}))
    await database.close()
