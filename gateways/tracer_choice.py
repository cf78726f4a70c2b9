"""Which tracer a process has."""

from gateways.tracing import Tracer
from settings import Settings


def connect_tracer(settings: Settings, *, version: str) -> Tracer | None:
    """The tracer of the settings; None without a collector, and then its library is not even imported."""
    if settings.monitoring.otlp_endpoint is None:
        return None
    from gateways.otlp import connect_collector

    return connect_collector(settings.monitoring, version=version)
