"""What tracing costs: the page of the bench `reads` with no collector, and with a sampled share."""

import asyncio
import json
import statistics
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

from bench.arguments import read_arguments
from bench.load import Cost, LoadConnection, measure
from bench.reads import QUERY, run_server, wait_until_ready
from tests.process import process_environment, run_cartwheel
from tests.servers import run_postgres
from tests.servers.server_folder import find_free_port

ROUNDS = 4
REQUESTS = 60
UNLIMITED = {"REQUESTS_PER_MINUTE": "1000000", "GUEST_COST_BUCKET": "100000000"}


class QuietCollector(BaseHTTPRequestHandler):
    """Takes every trace."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    read_arguments(__doc__)
    collector = ThreadingHTTPServer(("127.0.0.1", 0), QuietCollector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    with run_postgres() as server, tempfile.TemporaryDirectory() as folder:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.create_database(name))
        try:
            run_rounds(url, Path(folder), endpoint)
        finally:
            asyncio.run(server.drop_database(name))
            collector.shutdown()


def run_rounds(url: str, folder: Path, endpoint: str) -> None:
    env = process_environment(url, folder, LOG_LEVEL="WARNING", RUN_WORKER="false", **UNLIMITED)
    run_cartwheel("demo", env=env).check_returncode()
    body = json.dumps({"query": QUERY}).encode()
    ways = {
        "no collector": {},
        "1 % sampled": {"OTLP_ENDPOINT": endpoint, "TRACES_SAMPLED": "0.01"},
        "all sampled": {"OTLP_ENDPOINT": endpoint},
    }
    costs = {name: run_way(env | way, body) for name, way in ways.items()}
    base = statistics.median(cost.cpu for cost in costs["no collector"])
    print(f"20 products with everything, PostgreSQL, {ROUNDS} rounds of {REQUESTS} requests, medians")
    for name, measured in costs.items():
        cpu = statistics.median(cost.cpu for cost in measured)
        print(f"{name:>14}: {cpu:8.0f} us CPU of the server a request, ratio {cpu / base:.2f}")


def run_way(env: dict[str, str], body: bytes) -> list[Cost]:
    port = find_free_port()
    with run_server(port, env, "cli", "serve") as pid:
        wait_until_ready(port, body).ask()
        measure(LoadConnection(port, body), pid, REQUESTS)
        return [measure(LoadConnection(port, body), pid, REQUESTS) for _ in range(ROUNDS)]


if __name__ == "__main__":
    main()
