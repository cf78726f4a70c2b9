"""The tour of the README and the examples of GraphiQL work in the demo shop."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from demo.load import PASSWORD
from edge.graphiql import GraphiQL
from tests.observe import TIMEOUT_SECONDS
from tests.process import ROOT, Process, process_environment, run_cartwheel, serve_shop

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "edge/graphiql/examples").glob("*.graphql"))
EXAMPLE_ORDER = "05-order"
WATCHED = "06-watch"


@pytest.fixture
async def demo(demo_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Process]:
    env = process_environment(demo_sqlite_url, tmp_path, DEFAULT_LANGUAGE="zh-CN")
    async with serve_shop(env, tmp_path / "log", "--demo") as process:
        yield process
        audit = run_cartwheel("audit", env=env)
        assert audit.returncode == 0, audit.stdout + audit.stderr


def read_tour() -> str:
    """Return the shell blocks of "Five minutes" as one script."""
    part = README.split("## Five minutes")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL))


async def test_the_tour_works_when_pasted(demo: Process, tmp_path: Path) -> None:
    alias = f'shop() {{ "{sys.executable}" -m cli "$@"; }}'
    script = (
        read_tour()
        .replace("alias shop=.venv/bin/cartwheel", alias)
        .replace("python3 ", f'"{sys.executable}" ')
    )
    env = process_environment("sqlite://", tmp_path, PORT=str(demo.port))

    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert finished.returncode == 0, finished.stderr + finished.stdout
    assert '"errors"' not in finished.stdout
    refused = re.findall(r'"(?:userErrors|problems)": \[\s*[^\]\s]', finished.stdout)
    assert refused == [], finished.stdout


async def test_the_examples_of_graphiql_are_answered(demo: Process) -> None:
    async with httpx.AsyncClient(base_url=demo.url, timeout=TIMEOUT_SECONDS) as http:
        for example in EXAMPLES:
            if example.stem == WATCHED:
                continue
            response = (
                await http.post("/graphql", json={"query": example.read_text(encoding="utf-8")})
            ).json()
            assert "errors" not in response, (example.name, response)
            assert '"code"' not in json.dumps(response["data"]), (example.name, response)
            if session := response["data"].get("sessionCreate", {}).get("session"):
                http.headers["Authorization"] = f"Bearer {session['accessToken']}"


def test_the_readme_names_the_password_of_the_demo() -> None:
    assert f"`{PASSWORD}`" in README


def test_there_are_examples_for_the_tour() -> None:
    assert len(EXAMPLES) >= 8
    assert GraphiQL(built=Path("nowhere"), examples=EXAMPLES[0].parent).read_examples()
