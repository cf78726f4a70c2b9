"""The dashboard and the alerts ask for what a running shop tells, in PromQL that Prometheus reads."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest

from edge.metrics.server import LagReader, create_registry
from events.shop import Shop
from tests.edge.metrics import Scrape
from tests.process import ROOT

FOLDER = ROOT / "docs" / "monitoring"
RULES = FOLDER / "alerts.yml"
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}


def dashboard_expressions() -> list[str]:
    """Every expression of the dashboard, with values for Grafana's variables."""
    panels = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))["panels"]
    written = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [
        each.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*")
        for each in written
    ]


def alert_expressions() -> list[str]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


EXPRESSIONS = [*dashboard_expressions(), *alert_expressions()]


def selectors_of(expression: object) -> Iterator[promql_parser.VectorSelector]:
    """Yield every selector in a parsed expression."""
    match expression:
        case promql_parser.VectorSelector():
            yield expression
        case promql_parser.MatrixSelector():
            yield from selectors_of(expression.vector_selector)
        case promql_parser.Call():
            for argument in expression.args:
                yield from selectors_of(argument)
        case promql_parser.BinaryExpr():
            yield from selectors_of(expression.lhs)
            yield from selectors_of(expression.rhs)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from selectors_of(expression.expr)


def names_of(expressions: Sequence[str]) -> set[str]:
    parsed = [promql_parser.parse(each) for each in expressions]
    return {selector.name or "" for each in parsed for selector in selectors_of(each)}


@pytest.fixture
async def scraped(shop: Shop) -> Scrape:
    registry = create_registry(shop, LagReader(shop, asyncio.get_running_loop()))
    return Scrape((await asyncio.to_thread(generate_latest, registry)).decode())


async def test_every_metric_of_the_dashboard_and_the_alerts_is_scraped_by_a_shop(scraped: Scrape) -> None:
    exposed = {name + suffix for name, kind in scraped.families.items() for suffix in SUFFIXES.get(kind, ())}
    assert len(names_of(EXPRESSIONS)) > 30
    assert names_of(EXPRESSIONS) - exposed == set()


async def test_every_metric_of_ours_is_on_the_dashboard(scraped: Scrape) -> None:
    shown = names_of(dashboard_expressions())
    ours = {name for name in scraped.families if name.startswith("cartwheel_")}
    assert {name for name in ours if not any(each.startswith(name) for each in shown)} == set()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_promql(expression: str) -> None:
    assert promql_parser.parse(expression).prettify()


def test_prometheus_itself_reads_every_expression(tmp_path: Path) -> None:
    """By promtool where it is installed; the tests before have read all by promql-parser in any case."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert len([promql_parser.parse(each) for each in EXPRESSIONS]) == len(EXPRESSIONS)
        return
    rules = [{"record": f"checked:{place}", "expr": each} for place, each in enumerate(EXPRESSIONS)]
    checked = tmp_path / "rules.yml"
    checked.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    for file in (checked, RULES):
        finished = subprocess.run(
            [promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
