"""What `cartwheel settings`, `ask` and `--version` print."""

import re
import subprocess
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import select

from edge.commands.settings import written_value
from events.shop import Shop
from models import Account, Role
from settings import Settings, list_variables
from tests.factories.account import PASSWORD
from tests.process import call_cartwheel, process_environment


@pytest.fixture
def env(sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    return process_environment(sqlite_url, tmp_path)


@pytest.mark.parametrize("columns", ["40", "200"])
async def test_settings_are_listed_with_whole_names_however_narrow_the_terminal(
    env: dict[str, str], columns: str
) -> None:
    listed = await call_cartwheel("settings", env=env | {"COLUMNS": columns})

    assert listed.returncode == 0
    words = {line.partition(" ")[0] for line in listed.stdout.splitlines()}
    assert {variable.name for variable in list_variables()} <= words


async def test_settings_say_how_a_duration_is_written(env: dict[str, str]) -> None:
    listed = await call_cartwheel("settings", env=env)

    assert "number of seconds (90, 0.5)" in listed.stdout.replace("\n", " ")
    assert "PT30M is 30 minutes" in listed.stdout.replace("\n", " ")


async def test_the_printed_file_sets_every_default_once_its_lines_are_taken_in(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = await call_cartwheel("settings", "--env", env=env)
    for variable in list_variables():
        monkeypatch.delenv(variable.name, raising=False)
    file = tmp_path / "settings.env"
    file.write_text(re.sub(r"^# (?=[A-Z0-9_]+=.)", "", printed.stdout, flags=re.MULTILINE))

    assert len(re.findall(r"^# [A-Z0-9_]+=", printed.stdout, re.MULTILINE)) == len(list(list_variables()))
    assert Settings.from_environment(env_file=str(file)) == Settings.from_environment(env_file=None)


@pytest.mark.parametrize(
    ("value", "written"),
    [(timedelta(days=30), "2592000"), (timedelta(seconds=0.25), "0.25"), (timedelta(seconds=90), "90")],
)
def test_a_duration_is_written_exactly(value: timedelta, written: str) -> None:
    assert written_value(value) == written


async def test_an_export_does_not_overwrite_a_file(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    first = await call_cartwheel("export", "products", str(file), env=env)
    file.write_text("edited by hand")

    again = await call_cartwheel("export", "products", str(file), env=env)

    assert (first.returncode, again.returncode) == (0, 1)
    assert f"{file} exists already." in again.stderr
    assert file.read_text() == "edited by hand"


async def test_ask_names_the_way_where_nothing_answers(env: dict[str, str]) -> None:
    refused = await call_cartwheel("ask", "{ __typename }", "--url", "http://127.0.0.1:1", env=env)
    no_url = await call_cartwheel("ask", "{ __typename }", "--url", "the shop", env=env)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "Nothing answers at http://127.0.0.1:1. `make serve` starts a shop with demo data; another is named"
        " by --url, or by PUBLIC_URL, HOST and PORT as for `cartwheel serve`.\n"
    )
    assert no_url.returncode == 1
    assert no_url.stderr.startswith("the shop is no URL such as http://127.0.0.1:8000.")


async def test_ask_refuses_a_header_that_is_none(env: dict[str, str]) -> None:
    refused = await call_cartwheel("ask", "{ __typename }", "--header", "X-Cart-Token", env=env)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == 'A header is a name and a value, such as "X-Cart-Token: ...".\n'


async def test_the_version_is_printed(env: dict[str, str]) -> None:
    printed = await call_cartwheel("--version", env=env)

    assert (printed.returncode, printed.stdout) == (0, f"cartwheel {version('cartwheel')}\n")


@pytest.mark.parametrize("role", ["CUSTOMER", "GUEST", "admin"])
async def test_only_roles_of_the_staff_are_created_by_the_command(
    env: dict[str, str], other_shop: Shop, role: str
) -> None:
    refused = await create_staff(env, role)
    listed_roles = await call_cartwheel("staff", "create", "--help", env=env)
    created = await create_staff(env, "ADMIN")

    assert refused.returncode == 2
    assert f"'{role}' is none of CATALOGUE|" in refused.stderr
    assert "CATALOGUE|" in listed_roles.stdout
    assert not {"GUEST", "CUSTOMER"} & set(re.findall("[A-Z]+", listed_roles.stdout))
    assert created.returncode == 0
    async with other_shop.database.reads() as session:
        assert [account.role for account in await session.scalars(select(Account))] == [Role.ADMIN]


async def create_staff(env: dict[str, str], role: str) -> "subprocess.CompletedProcess[str]":
    terms = ("boss@shop.example", "--role", role, "--name", "The Boss", "--password", PASSWORD)
    return await call_cartwheel("staff", "create", *terms, env=env | {"COLUMNS": "200"})
