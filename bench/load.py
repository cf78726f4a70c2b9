"""Sending the same request again and again, and measuring what it costs the server."""

import os
import socket
import time
from dataclasses import dataclass

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Per request: CPU time of the server's process (user and system) and elapsed time, in microseconds."""

    cpu: float
    wall: float


class LoadConnection:
    """A keep-alive connection over a plain socket, which costs the client next to nothing."""

    def __init__(self, port: int, body: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.request = head.encode() + body
        self.buffer = b""

    def ask(self) -> bytes:
        self.socket.sendall(self.request)
        head, _, rest = self.read_until(b"\r\n\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        while len(rest) < length:
            rest += self.receive()
        self.buffer = rest[length:]
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the server answers {head[:40]!r} {rest[:300]!r}")
        return rest[:length]

    def read_until(self, mark: bytes) -> bytes:
        data, self.buffer = self.buffer, b""
        while mark not in data:
            data += self.receive()
        return data

    def receive(self) -> bytes:
        if data := self.socket.recv(1 << 16):
            return data
        raise RuntimeError("the server hung up")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15 of /proc/PID/stat)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(connection: LoadConnection, pid: int, requests: int) -> Cost:
    cpu, wall = cpu_seconds(pid), time.perf_counter()
    for _ in range(requests):
        connection.ask()
    return Cost((cpu_seconds(pid) - cpu) / requests * 1e6, (time.perf_counter() - wall) / requests * 1e6)


HIGH_RATES = {
    "REQUESTS_PER_MINUTE": "1000000000",
    "CONNECTIONS_PER_ADDRESS": "100000",
    "LIVE_CONNECTIONS_PER_ADDRESS": "100000",
    "LIVE_CONNECTIONS_PER_ACCOUNT": "100000",
}
"""Settings with which all clients of a benchmark may have one address."""

HIGH_COST_LIMITS = {
    f"{kind}_COST_{name}": "1000000000" for kind in ("GUEST", "CUSTOMER") for name in ("BUCKET", "REFILL")
}
"""Environment of a server that one client may ask without end; the limit of one operation stays."""
