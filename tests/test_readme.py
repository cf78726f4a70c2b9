"""What the README shows is true: its tour runs as it stands, and so do the examples of GraphiQL."""

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
from tests.observe import PATIENCE_SECONDS
from tests.process import ROOT, Process, cartwheel, environment, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "edge/graphiql/examples").glob("*.graphql"))
EXAMPLE_ORDER = "05-order"
WATCHED = "06-watch"


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Process]:
    env = environment(f"sqlite:///{tmp_path}/shop.db", tmp_path, DEFAULT_LANGUAGE="zh-CN")
    async with serving(env, tmp_path / "log", "--demo") as process:
        yield process
        audited = cartwheel("audit", env=env)
        assert audited.returncode == 0, audited.stdout + audited.stderr


def tour() -> str:
    """Every shell block between the two headings, as one script."""
    part = README.split("## Five minutes")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL))


async def test_the_tour_is_true_when_pasted(demo: Process, tmp_path: Path) -> None:
    alias = f'shop() {{ "{sys.executable}" -m cli "$@"; }}'
    script = (
        tour().replace("alias shop=.venv/bin/cartwheel", alias).replace("python3 ", f'"{sys.executable}" ')
    )
    env = environment("sqlite://", tmp_path, PORT=str(demo.port))

    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stderr + told.stdout
    assert '"errors"' not in told.stdout
    refused = re.findall(r'"(?:userErrors|problems)": \[\s*[^\]\s]', told.stdout)
    assert refused == [], told.stdout


async def test_the_examples_of_graphiql_are_answered(demo: Process) -> None:
    async with httpx.AsyncClient(base_url=demo.url, timeout=PATIENCE_SECONDS) as http:
        for example in EXAMPLES:
            if example.stem == WATCHED:
                continue
            reply = (await http.post("/graphql", json={"query": example.read_text(encoding="utf-8")})).json()
            assert "errors" not in reply, (example.name, reply)
            assert '"code"' not in json.dumps(reply["data"]), (example.name, reply)
            if session := reply["data"].get("sessionCreate", {}).get("session"):
                http.headers["Authorization"] = f"Bearer {session['accessToken']}"


def test_the_sign_in_of_the_demo_stands_in_the_readme() -> None:
    assert f"`{PASSWORD}`" in README


def test_there_are_examples_for_the_tour() -> None:
    assert len(EXAMPLES) >= 8
    assert GraphiQL(built=Path("nowhere"), examples=EXAMPLES[0].parent).examples()
