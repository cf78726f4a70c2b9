"""The HTTP client for partners: its time-outs, and connections that one partner cannot take from another."""

import ssl
from functools import cache

import httpx

from gateways.measured import MeasuredTransport
from gateways.metrics import Metrics
from gateways.tracing import Tracer

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
OUTSIDE_TIMEOUT = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
"""Where a call names no time-out of its own; each payment provider does."""

IDLE_CONNECTIONS = 20
OUTSIDE_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS)
"""No common limit of connections: partners that hang would use it up for all others."""


@cache
def trusted_certificates() -> ssl.SSLContext:
    """Reading the certificates takes 70 ms, so a process does it once."""
    return httpx.create_ssl_context()


def open_outside_client(metrics: Metrics, tracer: Tracer | None) -> httpx.AsyncClient:
    """A client whose requests are measured by the host they go to."""
    transport = httpx.AsyncHTTPTransport(verify=trusted_certificates(), limits=OUTSIDE_LIMITS)
    return httpx.AsyncClient(transport=MeasuredTransport(transport, metrics, tracer), timeout=OUTSIDE_TIMEOUT)
