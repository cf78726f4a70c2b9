"""The tours of the README and of docs/after-sales.md, and the examples of GraphiQL work in the demo shop."""

import asyncio
import json
import re
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from demo.content import read_content
from demo.graphiql import EXAMPLES as DEMO_EXAMPLES
from demo.load import PASSWORD
from tests.observe import TIMEOUT_SECONDS
from tests.process import ROOT, Process, call_cartwheel, process_environment, run_cartwheel, serve_shop

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted(DEMO_EXAMPLES.glob("*.graphql"))
CONTENT = read_content()
LOGINS = {each.name: each.email for each in CONTENT.customers} | {
    each.name: each.email for each in CONTENT.staff
}


@pytest.fixture
async def demo(demo_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Process]:
    env = process_environment(demo_sqlite_url, tmp_path, DEFAULT_LANGUAGE="zh-CN")
    async with serve_shop(env, tmp_path / "log", "--demo") as process:
        yield process
        audit = await call_cartwheel("audit", env=env)
        assert audit.returncode == 0, audit.stdout + audit.stderr


def read_tour() -> str:
    """Return the shell blocks of "Five minutes" as one script."""
    return join_blocks(README.split("## Five minutes")[1].split("\n## ")[0])


def read_after_sales_tour() -> str:
    return join_blocks((ROOT / "docs" / "after-sales.md").read_text(encoding="utf-8"))


def join_blocks(text: str) -> str:
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


OF_THE_SHELL = {
    "CDPATH", "COLUMNS", "EDITOR", "ENV", "FPATH", "HISTFILE", "HISTSIZE", "HOME", "HOST", "HOSTNAME",
    "HOSTTYPE", "IFS", "LANG", "LINENO", "LINES", "LOGNAME", "MACHTYPE", "MAIL", "OLDPWD", "OSTYPE",
    "PATH", "PPID", "PROMPT", "PS1", "PS2", "PS3", "PS4", "PWD", "RANDOM", "REPLY", "SAVEHIST",
    "SECONDS", "SHELL", "SHLVL", "TERM", "TMPDIR", "UID", "EUID", "USER", "USERNAME", "GROUPS",
    "DIRSTACK", "PIPESTATUS", "FUNCNAME", "OPTARG", "OPTIND", "OPTERR", "TMOUT",
}  # fmt: skip
"""Variables that interactive bash or zsh sets, changes or reads itself."""


def test_the_tour_sets_no_variable_of_the_shell() -> None:
    script = read_tour() + read_after_sales_tour()
    assigned = set(re.findall(r"^(?:export )?(\w+)=", script, re.MULTILINE))
    assert {"TEA", "ORDER", "CARTWHEEL_PASSWORD"} <= assigned
    assert {name for name in assigned if name.rstrip("_") in OF_THE_SHELL} == set()


def test_a_part_of_the_tour_that_is_pasted_again_sends_new_keys() -> None:
    keys = re.findall(r'idempotencyKey: \\"(.*?)\\"', read_tour())

    assert [key.removesuffix("-$(date +%s)") for key in keys] == ["tour", "edit", "guest", "scan"]
    assert all(key.endswith("-$(date +%s)") for key in keys)


SEND = """
import json, os, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.sendall(json.dumps([sys.argv[2:], dict(os.environ)]).encode() + b"\\n")
    exit_code, stdout, stderr = json.loads(connection.makefile().read())
sys.stdout.write(stdout)
sys.stderr.write(stderr)
sys.exit(exit_code)
"""
"""What the shell runs for `shop ...`: it hands the command to `serve_commands`."""


@asynccontextmanager
async def serve_commands() -> AsyncIterator[int]:
    """Run the commands that SEND hands over on this port, each in a process that starts at once."""

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        arguments, env = json.loads(await reader.readline())
        finished = await asyncio.to_thread(run_cartwheel, *arguments, env=env)
        writer.write(json.dumps([finished.returncode, finished.stdout, finished.stderr]).encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("read_script", [read_tour, read_after_sales_tour])
async def test_a_tour_works_when_pasted(
    demo: Process, tmp_path: Path, read_script: Callable[[], str]
) -> None:
    env = process_environment("sqlite://", tmp_path, PORT=str(demo.port))
    async with serve_commands() as port:
        send = f'"{sys.executable}" -I -S -c "$SEND" {port}'
        script = (
            read_script()
            .replace("alias shop=.venv/bin/cartwheel", f'shop() {{ {send} "$@"; }}')
            .replace("python3 ", f'"{sys.executable}" -I -S ')
        )
        finished = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euo", "pipefail", "-c", script],
            env=env | {"SEND": SEND}, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    assert finished.returncode == 0, finished.stderr + finished.stdout
    assert '"errors"' not in finished.stdout
    refused = re.findall(r'"(?:userErrors|problems)": \[\s*[^\]\s]', finished.stdout)
    assert refused == [], finished.stdout


async def test_the_examples_of_graphiql_are_answered(demo: Process) -> None:
    async with httpx.AsyncClient(base_url=demo.url, timeout=TIMEOUT_SECONDS) as http:
        for example in EXAMPLES:
            document = example.read_text(encoding="utf-8")
            if "\nsubscription " in document:
                continue
            if person := re.search(r"sign in as (\w+)\)", document):
                await sign_in_as(http, LOGINS[person[1]])
            response = (await http.post("/graphql", json={"query": document})).json()
            assert "errors" not in response, (example.name, response)
            assert '"code"' not in json.dumps(response["data"]), (example.name, response)
            if session := response["data"].get("sessionCreate", {}).get("session"):
                http.headers["Authorization"] = f"Bearer {session['accessToken']}"
            if cart := response["data"].get("cartLineAdd", {}).get("cart"):
                http.headers["X-Cart-Token"] = cart["token"]


async def sign_in_as(http: httpx.AsyncClient, login: str) -> None:
    """Sign in as the page does by one click."""
    document = """mutation($input: SessionCreateInput!) {
      sessionCreate(input: $input) { session { accessToken } } }"""
    variables = {"input": {"login": login, "password": PASSWORD}}
    response = await http.post("/graphql", json={"query": document, "variables": variables})
    token = response.json()["data"]["sessionCreate"]["session"]["accessToken"]
    http.headers["Authorization"] = f"Bearer {token}"


def test_the_readme_names_the_password_of_the_demo() -> None:
    assert f"`{PASSWORD}`" in README


def test_there_are_examples_for_the_tour() -> None:
    assert len(EXAMPLES) >= 8
