"""Importing the standard taxonomy from the command line while the shop is open."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from models import Attribute, Category
from tests.clients import Clients
from tests.factories.taxonomy import (
    EN,
    ZH,
    attribute_file,
    category_lines,
    colour_attribute,
    edition_files,
    fabric_attribute,
    link_file,
)
from tests.process import call_cartwheel, process_environment, run_cartwheel


class TaxonomyCommand:
    """A folder with an edition, and the command that imports it."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.env = process_environment(database_url, folder)
        self.folder = folder / "edition"
        self.arguments = ("import", "taxonomy", str(self.folder))

    async def load(self, files: dict[str, bytes], *options: str) -> subprocess.CompletedProcess[str]:
        self.write(files)
        return await call_cartwheel(*self.arguments, *options, env=self.env)

    async def load_by_process(self, files: dict[str, bytes]) -> subprocess.CompletedProcess[str]:
        self.write(files)
        return await asyncio.to_thread(run_cartwheel, *self.arguments, env=self.env)

    def write(self, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> TaxonomyCommand:
    return TaxonomyCommand(database_url, tmp_path)


def summary_counts(done: subprocess.CompletedProcess[str]) -> dict[str, list[int]]:
    """The rows of the printed summary: in the edition, created, updated, unchanged, obsolete."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stderr.splitlines()]
    return {row[0]: [int(cell) for cell in row[1:]] for row in rows if len(row) == 6 and row[1].isdigit()}


async def count_rows(shop: Shop) -> tuple[int, int]:
    async with shop.database.reads() as session:
        categories = await session.scalar(select(func.count()).select_from(Category))
        return categories or 0, await session.scalar(select(func.count()).select_from(Attribute)) or 0


async def test_an_edition_is_loaded_while_the_shop_is_open_and_a_second_time_changes_nothing(
    command: TaxonomyCommand, clients: Clients, shop: Shop
) -> None:
    first = await command.load_by_process(edition_files(links=link_file(aa=[1], aa_1=[1, 2])))
    again = await command.load({})

    assert first.returncode == 0, first.stderr
    assert summary_counts(first) == {
        "categories": [7, 7, 0, 0, 0],
        "attributes": [2, 2, 0, 0, 0],
        "values": [3, 3, 0, 0, 0],
    }
    assert summary_counts(again) == {
        "categories": [7, 0, 0, 7, 0],
        "attributes": [2, 0, 0, 2, 0],
        "values": [3, 0, 0, 3, 0],
    }
    assert "12/12" in first.stderr
    assert "Every count and every parent is the edition's." in again.stderr
    document = """{ category(slug: "clothes-trousers-co-joggers") {
        name ancestors { name } attributes { attribute { code } inherited } } }"""
    assert (await clients.guest().get(document))["category"] == {
        "name": "Joggers",
        "ancestors": [{"name": "Clothes"}, {"name": "Trousers & Co"}],
        "attributes": [
            {"attribute": {"code": "colour"}, "inherited": True},
            {"attribute": {"code": "fabric"}, "inherited": True},
        ],
    }
    assert await count_rows(shop) == (7, 2)


async def test_a_newer_edition_updates_and_adds_and_removes_nothing(
    command: TaxonomyCommand, clients: Clients
) -> None:
    await command.load(edition_files())
    fewer = {id: path for id, path in EN.items() if id != "aa-2-1"}
    newer = category_lines(fewer | {"fb-1": "Food > Teas", "fb-2": "Food > Coffee"}, version="2026-04")
    fewer = {id: path for id, path in ZH.items() if id != "aa-2-1"}
    newer_zh = category_lines(fewer | {"fb-2": "食品 > 咖啡"}, version="2026-04")
    attributes_en = (colour_attribute("Color", "Red", "Blue"), fabric_attribute("Fabric", "Wool"))
    attributes_zh = (colour_attribute("颜色", "红色", "蓝色"), fabric_attribute("面料", "羊毛"))
    files = edition_files(
        en_lines=newer,
        zh_lines=newer_zh,
        en_attributes=attribute_file(*attributes_en, version="2026-04"),
        zh_attributes=attribute_file(*attributes_zh, version="2026-04"),
    )

    tried = await command.load(files, "--dry-run")
    before = await clients.guest().get('{ category(slug: "food-tea") { name } }')
    done = await command.load({})

    assert before == {"category": {"name": "Tea"}}
    assert summary_counts(tried) == summary_counts(done)
    assert summary_counts(done)["categories"] == [7, 1, 1, 5, 1]
    assert summary_counts(done)["attributes"] == [2, 0, 1, 1, 0]
    assert "aa-2-1: kept, though the edition has it no longer" in done.stderr
    shown = await clients.guest().get(
        '{ tea: category(slug: "food-tea") { name } old: category(slug: "clothes-shirts-joggers") { name }'
        ' new: category(slug: "food-coffee") { name position } }'
    )
    assert shown == {
        "tea": {"name": "Teas"},
        "old": {"name": "Joggers"},
        "new": {"name": "Coffee", "position": 2},
    }


async def test_an_edition_with_a_wrong_parent_or_count_is_refused_with_reasons(
    command: TaxonomyCommand, shop: Shop
) -> None:
    orphan = {id: path for id, path in EN.items() if id != "aa-1"}
    wrong_parent = await command.load(edition_files(en_lines=category_lines(orphan)))
    short = await command.load(edition_files(zh_lines=category_lines({id: ZH[id] for id in ("aa", "aa-1")})))
    nothing = await command.load(dict.fromkeys(edition_files(), b""))

    assert [done.returncode for done in (wrong_parent, short, nothing)] == [1, 1, 1]
    assert "en/categories.txt:5: aa-1-1 stands below aa-1, which is missing" in wrong_parent.stderr
    assert "fb-1 is missing; it stands in en/categories.txt line 10" in short.stderr
    assert "the file is empty" in nothing.stderr
    for done in (wrong_parent, short, nothing):
        assert "nothing was taken" in " ".join(done.stderr.split())  # a long path wraps the line
    assert await count_rows(shop) == (0, 0)
